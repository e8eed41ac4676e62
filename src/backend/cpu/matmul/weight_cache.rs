//! Weights of an evaluation plan, packed once and kept from run to run for as long as they stay what they are: a photo alone
//! gives each weight so little to do that packing it every time costs as much.

use crate::kernel::{Conv2dForward, Kernel};
use crate::plan::Plan;

/// Weights that a plan keeps at most: 16 MiB, the zeros that fill panels up not counted. Convolutions that come after are
/// packed in every run.
const MOST_KEPT: usize = 4 << 20;

/// The packed weights of one convolution.
#[derive(Debug, Default)]
pub(crate) struct Packed {
    /// Panel after panel.
    pub(crate) elements: Vec<f32>,
    /// Whether they are the weights as they are now.
    pub(crate) current: bool,
}

/// The packed weights of a plan.
pub(crate) struct PackedWeights {
    /// By call, of those that keep any.
    calls: Vec<Option<Packed>>,
    /// The change of weights that they came after.
    change: u64,
}

impl PackedWeights {
    /// For the convolutions of a plan that leaves weights alone; nothing is packed yet.
    pub(crate) fn of(plan: &Plan) -> Self {
        let mut room = if plan.update.is_empty() { MOST_KEPT } else { 0 };
        let calls = plan.calls.iter().map(|call| {
            let Kernel::Conv2dForward(Conv2dForward { convolution, .. }) = &call.kernel else {
                return None;
            };
            room = room.checked_sub(convolution.kernel_len())?;
            Some(Packed::default())
        });
        Self { calls: calls.collect(), change: 0 }
    }

    /// Forgets what was packed before the last change of weights, which is change number `change`.
    pub(crate) fn forget_before(&mut self, change: u64) {
        if self.change != change {
            self.change = change;
            self.calls.iter_mut().flatten().for_each(|packed| packed.current = false);
        }
    }

    /// Returns the packed weights of a call, if it keeps any.
    pub(crate) fn of_call(&mut self, call: usize) -> Option<&mut Packed> {
        self.calls[call].as_mut()
    }
}

#[cfg(test)]
mod tests {
    use crate::backend::Backend;
    use crate::backend::cpu::CpuBackend;
    use crate::kernel::{StepInputs, Storage};
    use crate::network::Network;
    use crate::plan::parameters::{KernelInitialisation, Parameters};
    use crate::plan::{Optimizer, Plan, PlanOptions, Source};
    use crate::shape::Shape;
    use pollster::block_on;

    const TEXT: &str = "['serial', ['conv', {'ksize': 3, 'chn': 20, 'actions': 'LAB'}], ['conv', {'ksize': 1, 'chn': 5}], ['avg', {'stride': 4}]]";

    fn network() -> (Network, Parameters) {
        let network = Network::new(TEXT, Shape::new(4, 4, 3), 2).unwrap();
        let parameters = Parameters::new(&network.graph);
        (network, parameters)
    }

    fn write(backend: &mut CpuBackend, storage: Storage, numbers: &[f32]) {
        block_on(backend.allocate(storage, numbers.len())).unwrap();
        backend.write(storage, 0, bytemuck::cast_slice(numbers)).unwrap();
    }

    fn probabilities(
        backend: &mut CpuBackend,
        plan: &Plan,
        id: crate::backend::PlanId,
    ) -> Vec<f32> {
        backend.run(id, plan.forward.clone(), &StepInputs::without_update(1)).unwrap();
        let view = plan.probabilities;
        block_on(backend.read(view.storage, view.offset, 2)).unwrap()
    }

    /// Answers by a fresh executor, which keeps nothing from before.
    fn fresh(weights: &[f32]) -> (CpuBackend, Plan, crate::backend::PlanId, Vec<f32>) {
        let (network, parameters) = network();
        let options = PlanOptions::evaluation(1, Source::Tensor);
        let plan = Plan::new(&network.graph, &parameters, &options).unwrap();
        let mut backend = CpuBackend::new(1);
        write(&mut backend, Storage::Weights, weights);
        write(&mut backend, Storage::Statistics, &parameters.initial_statistics());
        for &(storage, len) in &plan.shared {
            if !matches!(storage, Storage::Weights | Storage::Statistics) {
                block_on(backend.allocate(storage, len)).unwrap();
            }
        }
        let id = block_on(backend.load(&plan)).unwrap();
        let photo: Vec<f32> = (0..48).map(|x| (x % 7) as f32 / 7.0).collect();
        backend.write(plan.input.storage, plan.input.offset, bytemuck::cast_slice(&photo)).unwrap();
        let answer = probabilities(&mut backend, &plan, id);
        (backend, plan, id, answer)
    }

    #[test]
    fn weights_are_packed_once_and_again_when_they_change() {
        let (_, parameters) = network();
        let weights = |seed| parameters.initial_weights(seed, KernelInitialisation::He);
        let (mut backend, plan, id, first) = fresh(&weights(1));
        let (.., other) = fresh(&weights(2));
        assert_ne!(first, other);

        let packed = |backend: &CpuBackend| {
            let loaded = backend.plans[0].as_ref().unwrap();
            loaded.packed.calls.iter().flatten().filter(|packed| packed.current).count()
        };
        assert_eq!(packed(&backend), 3);
        assert_eq!(probabilities(&mut backend, &plan, id), first);
        write(&mut backend, Storage::Weights, &weights(2));
        assert_eq!(probabilities(&mut backend, &plan, id), other);
        backend.write(Storage::Weights, 0, bytemuck::cast_slice(&weights(1))).unwrap();
        assert_eq!(probabilities(&mut backend, &plan, id), first);
    }

    #[test]
    fn a_training_plan_keeps_nothing() {
        let (network, parameters) = network();
        let options = PlanOptions::training(1, Source::Tensor, Optimizer::ADAM);
        let plan = Plan::new(&network.graph, &parameters, &options).unwrap();
        assert!(super::PackedWeights::of(&plan).calls.iter().all(Option::is_none));
    }

    #[test]
    fn a_step_of_training_is_a_change() {
        let (network, parameters) = network();
        let (mut backend, plan, id, before) =
            fresh(&parameters.initial_weights(1, KernelInitialisation::He));
        let options = PlanOptions::training(1, Source::Tensor, Optimizer::ADAM);
        let training = Plan::new(&network.graph, &parameters, &options).unwrap();
        for &(storage, len) in &training.shared {
            if !matches!(storage, Storage::Weights | Storage::Statistics) {
                block_on(backend.allocate(storage, len)).unwrap();
            }
        }
        backend
            .write(Storage::ParameterFlags, 0, bytemuck::cast_slice(&parameters.flags(0)))
            .unwrap();
        backend.write(Storage::Targets, 0, bytemuck::cast_slice(&[1.0f32, 0.0, 1.0])).unwrap();
        let training_id = block_on(backend.load(&training)).unwrap();
        let input: Vec<f32> =
            block_on(backend.read(plan.input.storage, plan.input.offset, 48)).unwrap();
        let step =
            StepInputs { batch_size: 1, step: 0, seed: 1, learning_rate: 0.01, weight_decay: 0.0 };
        backend.run(training_id, 0..training.calls.len(), &step).unwrap();
        // The workspace is the training's by now.
        backend.write(plan.input.storage, plan.input.offset, bytemuck::cast_slice(&input)).unwrap();
        let after = probabilities(&mut backend, &plan, id);
        assert_ne!(after, before);

        let weights = block_on(backend.read(
            Storage::Weights,
            0,
            parameters.initial_weights(1, KernelInitialisation::He).len(),
        ))
        .unwrap();
        let statistics =
            block_on(backend.read(Storage::Statistics, 0, parameters.initial_statistics().len()))
                .unwrap();
        let (mut again, plan, id, _) = fresh(&weights);
        again.write(Storage::Statistics, 0, bytemuck::cast_slice(&statistics)).unwrap();
        again.write(plan.input.storage, plan.input.offset, bytemuck::cast_slice(&input)).unwrap();
        assert_eq!(probabilities(&mut again, &plan, id), after);
    }
}
