//! The promises of a plan: views that fit, buffers reused by lifetime, no work for frozen layers, values kept on request,
//! memory told before it is taken.

use crate::reference::executor::ReferenceExecutor;
use floret::error::Error;
use floret::kernel::{Activation, Call, Extent, Kernel, ROW, StepInputs, Storage, View};
use floret::network::graph::Graph;
use floret::ops::Op;
use floret::ops::activation::ActivationOp;
use floret::ops::add::Add;
use floret::ops::batch_norm::BatchNorm;
use floret::ops::concat::Concat;
use floret::ops::conv2d::Conv2d;
use floret::ops::dense::Dense;
use floret::ops::dropout::Dropout;
use floret::ops::noise::Noise;
use floret::ops::pool2d::{Pool2d, PoolKind};
use floret::plan::parameters::{KernelInitialisation, Parameters};
use floret::plan::{Optimizer, Plan, PlanOptions, Source};
use floret::rng::{Random, Stream};
use floret::shape::{Padding, Shape};
use std::collections::BTreeSet;

const SGD: Optimizer = Optimizer::Sgd { momentum: 0.9 };

fn conv(out_channels: usize) -> Op {
    Op::Conv2d(Conv2d {
        kernel_size: [3, 3],
        stride: [1, 1],
        padding: Padding::Same,
        out_channels,
        groups: 1,
        activation: Activation::Relu,
    })
}

fn norm() -> Op {
    Op::BatchNorm(BatchNorm::new(true, Activation::None))
}

fn pool(kind: PoolKind) -> Op {
    Op::Pool2d(Pool2d { kind, kernel_size: [2, 2], stride: [2, 2], padding: Padding::Same })
}

fn add(graph: &mut Graph, op: Op, inputs: &[usize]) -> usize {
    let name = format!("{}", graph.nodes.len());
    graph.add(name, op, inputs.to_vec()).expect("the op fits")
}

fn chain(graph: &mut Graph, ops: impl IntoIterator<Item = Op>, input: usize) -> usize {
    ops.into_iter().fold(input, |input, op| add(graph, op, &[input]))
}

fn logits(graph: &mut Graph, input: usize) {
    add(graph, Op::Dense(Dense { width: 3, activation: Activation::None }), &[input]);
}

/// A residual block and an inception module, with every op.
fn mixed() -> Graph {
    let mut graph = Graph::new(Shape::new(8, 8, 3));
    let noise = Op::Noise(Noise { mean: 0.0, std: 0.1, ratio: 0.5 });
    let stem = chain(&mut graph, [noise, conv(4), norm(), pool(PoolKind::Max)], 0);
    let branch = chain(&mut graph, [conv(4), norm(), conv(4), norm()], stem);
    let sum = add(&mut graph, Op::Add(Add { activation: Activation::Relu }), &[branch, stem]);
    let left = chain(&mut graph, [conv(2)], sum);
    let tanh = Op::Activation(ActivationOp { activation: Activation::Tanh });
    let right = chain(&mut graph, [pool(PoolKind::Average), tanh], sum);
    let left = chain(&mut graph, [pool(PoolKind::Average)], left);
    let both = add(&mut graph, Op::Concat(Concat), &[left, right]);
    let dropped = chain(&mut graph, [Op::Dropout(Dropout { keep_prob: 0.7 })], both);
    logits(&mut graph, dropped);
    graph
}

/// `depth` layers one after another.
fn deep(depth: usize) -> Graph {
    let mut graph = Graph::new(Shape::new(8, 8, 4));
    let last = chain(&mut graph, (0..depth).map(|_| conv(4)), 0);
    logits(&mut graph, last);
    graph
}

fn plan(graph: &Graph, options: &PlanOptions) -> Plan {
    Plan::new(graph, &Parameters::new(graph), options).expect("the options make sense")
}

fn training(batch_size: usize) -> PlanOptions {
    PlanOptions::training(batch_size, Source::Tensor, Optimizer::ADAM)
}

fn evaluation(batch_size: usize) -> PlanOptions {
    PlanOptions::evaluation(batch_size, Source::Tensor)
}

/// All the ways in which a plan can be asked for.
fn all_options() -> Vec<PlanOptions> {
    let photos = Source::Photos { pages: 2, stored_size: 10 };
    let mut all = vec![
        training(5),
        evaluation(5),
        PlanOptions { averaged: true, ..evaluation(5) },
        PlanOptions { source: photos, optimizer: SGD, weight_average: 0.99, ..training(5) },
        PlanOptions { source: photos, ..evaluation(1) },
    ];
    for train_from in [3, 8, 100] {
        all.push(PlanOptions { train_from, ..training(5) });
        all.push(PlanOptions { train_from, keep: vec![0, 2, 4], ..training(5) });
    }
    all
}

#[test]
fn operands_fit_their_storages_and_never_overlap() {
    for graph in [mixed(), deep(3)] {
        for options in all_options() {
            let plan = plan(&graph, &options);
            let mut written: BTreeSet<Storage> = BTreeSet::from([plan.input.storage]);
            for call in &plan.calls {
                let read: BTreeSet<Storage> = call.reads.iter().map(|v| v.storage).collect();
                let writes: BTreeSet<Storage> = call.writes.iter().map(|v| v.storage).collect();
                assert_eq!(writes.len(), call.writes.len(), "two writes in one storage: {call:?}");
                assert!(read.is_disjoint(&writes), "reads what it writes: {call:?}");
                let workspace = |s: &&Storage| matches!(s, Storage::Workspace(_));
                for storage in read.iter().filter(workspace) {
                    assert!(written.contains(storage), "{storage:?} holds nothing: {call:?}");
                }
                written.extend(writes);
                for view in call.reads.iter().chain(&call.writes) {
                    assert_eq!(view.offset % ROW, 0);
                    let end = view.offset + view.extent.len(plan.batch_size);
                    assert!(end <= len_of(&plan, view.storage), "{view:?} of {call:?}");
                }
            }
        }
    }
}

fn len_of(plan: &Plan, storage: Storage) -> usize {
    match storage {
        Storage::Workspace(number) => plan.buffers[number as usize],
        Storage::Photos(_) => 0,
        _ => plan.shared.iter().find(|(s, _)| *s == storage).map_or(0, |(_, len)| *len),
    }
}

#[test]
fn buffers_are_reused_as_values_die() {
    // Input, logits and probabilities stay; two more take turns, however deep the network is.
    assert_eq!(plan(&deep(30), &evaluation(4)).buffers.len(), 5);
    let bytes = |depth| plan(&deep(depth), &evaluation(4)).buffers.iter().sum::<usize>();
    assert_eq!(bytes(3), bytes(30));
    // Training keeps each layer's output until its gradients are done, and takes turns with the gradients.
    let sample = 4 * 8 * 8 * 4;
    let trained = plan(&deep(30), &training(4)).buffers.iter().sum::<usize>();
    assert!((30 * sample..34 * sample).contains(&trained), "{} samples", trained / sample);
}

#[test]
fn derivatives_of_activations_cost_no_pass_where_the_next_layer_takes_them() {
    let count = |graph: &Graph| {
        let calls = plan(graph, &training(2)).calls;
        calls.iter().filter(|c| matches!(c.kernel, Kernel::ActivationBackward(_))).count()
    };
    assert_eq!(count(&deep(5)), 0);
    let mut graph = deep(1);
    // A second reader of the first layer's output: nobody can mask for both.
    let second = add(&mut graph, conv(4), &[1]);
    let sum = add(&mut graph, Op::Add(Add { activation: Activation::None }), &[second, 1]);
    logits(&mut graph, sum);
    assert_eq!(count(&graph), 2);
}

#[test]
fn frozen_layers_get_no_gradient_and_no_work() {
    let graph = mixed();
    let parameters = Parameters::new(&graph);
    let backward_calls = |train_from| {
        let plan = plan(&graph, &PlanOptions { train_from, ..training(2) });
        for view in plan.calls[plan.backward.clone()].iter().flat_map(|call| &call.writes) {
            let parameter = parameters
                .trained
                .iter()
                .find(|p| view.storage == Storage::Gradients && p.offset == view.offset);
            assert!(parameter.is_none_or(|p| p.node >= train_from), "{parameter:?} is frozen");
        }
        plan.backward.len()
    };
    let counts: Vec<usize> = (0..=graph.nodes.len()).map(backward_calls).collect();
    assert!(counts.is_sorted_by(|earlier, later| earlier >= later), "{counts:?}");
    // The head alone: the gradient of its weights. Nothing at all: none.
    assert_eq!(counts[graph.output()], 1);
    assert_eq!(counts[graph.output() + 1], 0);
    let flags = parameters.flags(graph.output());
    let free: usize = flags.chunks(2).filter(|row| row[0] > 0.0).count();
    assert_eq!(free * ROW, parameters.weights_len - parameters.block(graph.output()).unwrap().0);
}

/// An executor ready to run a plan on a random batch.
fn executor(graph: &Graph, plan: &Plan, batch_size: usize) -> ReferenceExecutor {
    let parameters = Parameters::new(graph);
    let mut executor = ReferenceExecutor::new(&parameters, &[plan]);
    let weights: Vec<f64> = parameters
        .initial_weights(1, KernelInitialisation::He)
        .into_iter()
        .map(f64::from)
        .collect();
    let flags: Vec<f64> = parameters.flags(0).into_iter().map(f64::from).collect();
    for (storage, numbers) in [
        (Storage::Weights, &weights),
        (Storage::AveragedWeights, &weights),
        (Storage::ParameterFlags, &flags),
    ] {
        if plan.shared.iter().any(|(shared, _)| *shared == storage) {
            executor.write(storage, 0, numbers);
        }
    }
    let random = Random::new(1, Stream::Test, 0, 0);
    let len = (batch_size * graph.input().len()) as u32;
    let batch: Vec<f64> = (0..len).map(|i| 2.0 * f64::from(random.uniform(i)) - 1.0).collect();
    executor.write(plan.input.storage, 0, &batch);
    if plan.shared.iter().any(|(shared, _)| *shared == Storage::Targets) {
        let targets = (0..batch_size).flat_map(|sample| {
            [0, 1, 2].map(|class| f64::from(u8::from(sample % 3 == class))).into_iter().chain([1.0])
        });
        executor.write(Storage::Targets, 0, &targets.collect::<Vec<f64>>());
    }
    executor
}

fn step(batch_size: usize, step: u32) -> StepInputs {
    StepInputs { batch_size, step, seed: 1, learning_rate: 0.01, weight_decay: 0.0 }
}

#[test]
fn kept_values_outlive_the_run() {
    let graph = mixed();
    for options in [training(3), evaluation(3)] {
        let keep: Vec<usize> = (0..graph.nodes.len()).collect();
        let kept_plan = plan(&graph, &PlanOptions { keep: keep.clone(), ..options.clone() });
        let mut kept = executor(&graph, &kept_plan, 3);
        kept.run(&kept_plan, 0..kept_plan.update.start, &step(3, 0));
        for node in keep {
            // The same network, stopped right after the node.
            let plan = plan(&graph, &PlanOptions { keep: vec![node], ..options.clone() });
            let output = plan.kept[0].output;
            let last = plan.calls.iter().rposition(|call| call.writes.contains(&output));
            let mut executor = executor(&graph, &plan, 3);
            executor.run(&plan, 0..last.map_or(0, |last| last + 1), &step(3, 0));
            let expected = executor.read(output, 3).to_vec();
            assert_eq!(kept.read(kept_plan.kept[node].output, 3), expected, "node {node}");
            let has_gradient = kept_plan.kept[node].gradient.is_some();
            assert_eq!(has_gradient, options == training(3), "node {node}");
        }
    }
}

#[test]
fn evaluation_uses_running_statistics_and_no_randomness() {
    let graph = mixed();
    let (trained, evaluated) = (plan(&graph, &training(3)), plan(&graph, &evaluation(3)));
    let random = |kernel: &Kernel| matches!(kernel, Kernel::Dropout(_) | Kernel::Noise(_));
    assert!(evaluated.calls.iter().all(|call| !random(&call.kernel)));
    assert!(evaluated.backward.is_empty() && evaluated.update.is_empty());
    assert_eq!(evaluated.calls.len(), evaluated.forward.len());
    // A sample's answer does not depend on the rest of the batch, as it does in training.
    let answer = |plan: &Plan, batch_size| {
        let mut executor = executor(&graph, plan, batch_size);
        executor.run(plan, plan.forward.clone(), &step(batch_size, 0));
        executor.read(plan.probabilities, 1).to_vec()
    };
    assert_eq!(answer(&evaluated, 3), answer(&evaluated, 1));
    assert_ne!(answer(&trained, 3), answer(&trained, 1));
}

#[test]
fn evaluation_normalises_in_the_convolution_unless_its_own_output_is_wanted() {
    let passes = |options: PlanOptions| {
        let normalize = |call: &&Call| matches!(call.kernel, Kernel::BatchNormNormalize(_));
        plan(&mixed(), &options).calls.iter().filter(normalize).count()
    };
    assert_eq!(passes(evaluation(2)), 0);
    assert_eq!(passes(PlanOptions { keep: vec![2], ..evaluation(2) }), 1);
    assert_eq!(passes(training(2)), 3);
    // Who else reads a convolution's output needs it as it is.
    let mut graph = Graph::new(Shape::new(8, 8, 4));
    let stem = chain(&mut graph, [conv(4)], 0);
    let normalized = chain(&mut graph, [norm()], stem);
    let sum = add(&mut graph, Op::Add(Add { activation: Activation::None }), &[normalized, stem]);
    logits(&mut graph, sum);
    let calls = plan(&graph, &evaluation(2)).calls;
    assert!(calls.iter().any(|call| matches!(call.kernel, Kernel::BatchNormNormalize(_))));
}

#[test]
fn frozen_layers_behave_as_in_evaluation() {
    let graph = mixed();
    let evaluated = plan(&graph, &evaluation(3));
    let last_features = graph.output() - 1;
    let options =
        PlanOptions { train_from: graph.nodes.len(), keep: vec![4, last_features], ..training(3) };
    let frozen = plan(&graph, &options);
    let probabilities = |plan: &Plan| {
        let mut executor = executor(&graph, plan, 3);
        executor.run(plan, 0..plan.update.start, &step(3, 0));
        let statistics = executor.storage(Storage::Statistics).to_vec();
        (executor.read(plan.probabilities, 3).to_vec(), statistics)
    };
    assert_eq!(probabilities(&frozen), probabilities(&evaluated));
    // What explains an answer: the gradient by the features before the head. It ends at frozen batch normalisation.
    assert!(frozen.kept[1].gradient.is_some() && frozen.kept[0].gradient.is_none());
    let norm_calls = |train_from| {
        let plan = plan(&graph, &PlanOptions { train_from, ..training(3) });
        let statistics = |call: &&Call| matches!(call.kernel, Kernel::BatchNormStatistics(_));
        plan.calls.iter().filter(statistics).count()
    };
    assert_eq!([0, 3, 4, 100].map(norm_calls), [3, 3, 2, 0]);
}

#[test]
fn steps_of_every_optimizer_lower_the_loss_and_move_the_averages() {
    let graph = mixed();
    for optimizer in [Optimizer::ADAM, SGD] {
        let options = PlanOptions { optimizer, weight_average: 0.9, ..training(6) };
        let plan = plan(&graph, &options);
        let mut executor = executor(&graph, &plan, 6);
        let mut losses = Vec::new();
        for number in 0..30 {
            executor.run(&plan, 0..plan.calls.len(), &step(6, number));
            losses.push(executor.take_loss());
        }
        assert!(losses[29] < losses[0] / 2.0, "{optimizer:?}: {losses:?}");
        let distance = |a: Storage, b: Storage| -> f64 {
            let pairs = executor.storage(a).iter().zip(executor.storage(b));
            pairs.map(|(a, b)| (a - b).powi(2)).sum()
        };
        let weights = distance(Storage::Weights, Storage::AveragedWeights);
        let statistics = distance(Storage::Statistics, Storage::AveragedStatistics);
        assert!(weights > 0.0 && weights < 1.0, "{weights}");
        assert!(statistics > 0.0 && statistics < 1.0, "{statistics}");
    }
}

#[test]
fn large_arenas_are_updated_in_chunks_of_whole_rows() {
    let mut graph = Graph::new(Shape::vector(6000));
    let hidden = Op::Dense(Dense { width: 6000, activation: Activation::Relu });
    let last = chain(&mut graph, [hidden], 0);
    logits(&mut graph, last);
    let plan = plan(&graph, &training(1));
    let mut next = 0;
    for call in &plan.calls[plan.update.clone()] {
        let View { offset, extent: Extent::Fixed(len), .. } = call.writes[0] else {
            panic!("an arena does not grow with the batch");
        };
        let flags = call.reads[1];
        assert_eq!(offset, next);
        assert!(len % ROW == 0 && 4 * len < 128 << 20);
        assert_eq!((flags.offset, flags.extent.len(1)), (2 * offset / ROW, 2 * len / ROW));
        next = offset + len;
    }
    assert!(plan.update.len() > 1);
    assert_eq!(next, Parameters::new(&graph).weights_len);
}

#[test]
fn too_much_memory_is_refused_with_the_batch_that_fits() {
    let graph = mixed();
    let parameters = Parameters::new(&graph);
    let options = training(64);
    let plan_at = |batch_size| plan(&graph, &PlanOptions { batch_size, ..options.clone() });
    let check = |available| Plan::within(&graph, &parameters, &options, available).map(drop);
    check(plan_at(64).bytes()).unwrap();
    for fits in [1, 10, 63] {
        for available in [plan_at(fits).bytes(), plan_at(fits + 1).bytes() - 1] {
            let error = check(available).unwrap_err();
            let needed = plan_at(64).bytes();
            assert_eq!(error, Error::Memory { needed, available, batch_that_fits: Some(fits) });
        }
    }
    let error = check(plan_at(1).bytes() - 1).unwrap_err();
    assert!(matches!(error, Error::Memory { batch_that_fits: None, .. }), "{error}");

    // What no address reaches is held to the same limit.
    let options = training(usize::MAX / 2);
    let available = plan_at(10).bytes();
    let error = Plan::within(&graph, &parameters, &options, available).unwrap_err();
    assert!(
        matches!(error, Error::Memory { batch_that_fits: Some(10), available: a, .. } if a == available),
        "{error}"
    );
}

#[test]
fn a_plan_that_no_address_reaches_is_refused() {
    let graph = mixed();
    let parameters = Parameters::new(&graph);
    let plan_at = |batch_size| Plan::new(&graph, &parameters, &training(batch_size));
    let Err(Error::Memory { needed, available, batch_that_fits: Some(fits) }) =
        plan_at(usize::MAX / 2)
    else {
        panic!("half of all numbers are no batch");
    };
    assert_eq!(available, isize::MAX as u64);
    assert!(needed > available);
    assert!(plan_at(fits).is_ok_and(|plan| plan.bytes() <= 2 * available));
    assert!(matches!(plan_at(fits + 1), Err(Error::Memory { .. })));
}

#[test]
fn senseless_options_are_refused() {
    let graph = mixed();
    let parameters = Parameters::new(&graph);
    let refused = |options: &PlanOptions| Plan::new(&graph, &parameters, options).unwrap_err();
    let error = refused(&training(0));
    assert_eq!(error.to_string(), "batch size: expected at least 1, found 0");
    let error = refused(&PlanOptions { keep: vec![3, graph.nodes.len()], ..training(1) });
    let last = graph.output();
    assert_eq!(
        error.to_string(),
        format!("kept node: expected a node from 0 to {last}, found {}", last + 1)
    );
}
