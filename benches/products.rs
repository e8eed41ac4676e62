//! The product of a convolution, [pixels × window] by [window × channels], in well-kept crates, on the flower models' shapes.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

/// Pixels at batch 10, window numbers, output channels.
const SHAPES: [(usize, usize, usize); 6] = [
    (10_240, 147, 16),
    (2_560, 144, 16),
    (640, 288, 32),
    (160, 576, 64),
    (23_040, 27, 6),
    (5_760, 72, 8),
];

fn products(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("product");
    for (m, k, n) in SHAPES {
        let numbers = |len: usize| (0..len).map(|i| (i % 17) as f32 - 8.0).collect::<Vec<_>>();
        let (a, b, mut c) = (numbers(m * k), numbers(k * n), vec![0.0f32; m * n]);
        // Elements are floating-point operations, so that criterion prints them a second.
        group.throughput(Throughput::Elements(2 * (m * k * n) as u64));
        let shape = format!("{m}x{k}x{n}");
        let (ks, ns) = (k as isize, n as isize);
        group.bench_function(BenchmarkId::new("matrixmultiply", &shape), |bencher| {
            bencher.iter(|| {
                let (a, b, c) = (a.as_ptr(), b.as_ptr(), c.as_mut_ptr());
                // SAFETY: the pointers cover m·k, k·n and m·n numbers, row by row as the strides say.
                unsafe { matrixmultiply::sgemm(m, k, n, 1.0, a, ks, 1, b, ns, 1, 0.0, c, ns, 1) }
            });
        });
        group.bench_function(BenchmarkId::new("gemm", &shape), |bencher| {
            bencher.iter(|| {
                let (a, b, c) = (a.as_ptr(), b.as_ptr(), c.as_mut_ptr());
                let one_thread = gemm::Parallelism::None;
                // SAFETY: the same.
                unsafe {
                    gemm::gemm(
                        m, n, k, c, 1, ns, false, a, 1, ks, b, 1, ns, 0.0, 1.0, false, false,
                        false, one_thread,
                    );
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, products);
criterion_main!(benches);
