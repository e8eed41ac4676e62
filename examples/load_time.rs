use floret::data::{folder::load, library::Library};
fn main(){ let a:Vec<String>=std::env::args().collect(); let size:usize=a[2].parse().unwrap(); let threads:usize=a[3].parse().unwrap();
 let mut l=Library::new(size, 8<<30).unwrap(); let t=std::time::Instant::now();
 let r=load(a[1].as_ref(), &mut l, threads, &mut |_|{}, &std::sync::atomic::AtomicBool::new(false)).unwrap();
 let s=t.elapsed().as_secs_f64(); println!("{} photos, {} skipped, {s:.2} s, {:.0}/s classes {:?}", r.added, r.skipped.len(), r.added as f64/s, l.classes()); for s in r.skipped.iter().take(30){println!("   {} {}",s.name,s.reason)} }
