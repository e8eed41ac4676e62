//! The CPU kernels of the flower models: a training step's calls, each timed by itself, on one thread.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use floret::backend::cpu::CpuBackend;
use floret::backend::resident::Resident;
use floret::bench::{BenchOptions, bench};
use std::time::{Duration, Instant};

const MODELS: [&str; 3] = ["residual_flower", "bottleneck_flower", "inception_flower"];
const BATCH_SIZE: usize = 10;

fn kernels(criterion: &mut Criterion) {
    let begin = Instant::now();
    let clock = || begin.elapsed().as_secs_f64() * 1e3;
    for model in MODELS {
        let measure = |passes: u64| {
            let passes = passes as usize;
            let options =
                BenchOptions { model: model.into(), batch_size: BATCH_SIZE, steps: 1, passes };
            let mut device = Resident::new(Box::new(CpuBackend::new(1)), u64::MAX);
            pollster::block_on(bench(&mut device, &options, &clock)).expect("a preset and a batch")
        };
        let mut group = criterion.benchmark_group(model);
        for kernel in measure(1).kernels {
            group.throughput(Throughput::Elements(kernel.calls as u64));
            group.bench_function(BenchmarkId::from_parameter(kernel.name), |bencher| {
                bencher.iter_custom(|iterations| {
                    let report = measure(iterations);
                    let found = report.kernels.iter().find(|found| found.name == kernel.name);
                    let ms = found.map_or(0.0, |found| found.ms);
                    Duration::from_secs_f64(ms / 1e3 * iterations as f64)
                });
            });
        }
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).measurement_time(Duration::from_secs(1));
    targets = kernels
}
criterion_main!(benches);
