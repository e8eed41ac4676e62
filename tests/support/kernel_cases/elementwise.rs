//! Cases of activations, add, concatenation, dropout and noise.

use super::{Case, Family, activation, channels, draw, family};
use floret::kernel::{
    ActivationBackward, ActivationForward, AddBackward, AddForward, ConcatBackward, ConcatForward,
    Dropout, Kernel, Noise, Part, TiledAdd,
};
use proptest::prelude::*;

fn activation_forward() -> impl Strategy<Value = Case> {
    (1..=300_usize, activation(), draw()).prop_map(|(len, activation, draw)| {
        let all = draw.batch_size() * len;
        Case {
            kernel: Kernel::ActivationForward(ActivationForward { len, activation }),
            step: draw.step,
            reads: vec![draw.between(0, all, -4.0, 4.0)],
            writes: vec![draw.target(1, all, false)],
        }
    })
}

fn activation_backward() -> impl Strategy<Value = Case> {
    (1..=300_usize, activation(), any::<bool>(), draw()).prop_map(
        |(len, activation, accumulate, draw)| {
            let all = draw.batch_size() * len;
            Case {
                kernel: Kernel::ActivationBackward(ActivationBackward {
                    len,
                    activation,
                    accumulate,
                }),
                step: draw.step,
                reads: vec![draw.outputs(0, all, activation), draw.numbers(1, all)],
                writes: vec![draw.target(2, all, accumulate)],
            }
        },
    )
}

fn tiled_add() -> impl Strategy<Value = TiledAdd> {
    (1..=50_usize, channels(), 1..=4_usize).prop_map(|(pixels, tile, repeats)| TiledAdd {
        pixels,
        channels: tile * repeats,
        tile,
    })
}

fn add_forward() -> impl Strategy<Value = Case> {
    (tiled_add(), activation(), draw()).prop_map(|(add, activation, draw)| {
        let pixels = draw.batch_size() * add.pixels;
        Case {
            kernel: Kernel::AddForward(AddForward { add, activation }),
            step: draw.step,
            reads: vec![draw.numbers(0, pixels * add.channels), draw.numbers(1, pixels * add.tile)],
            writes: vec![draw.target(2, pixels * add.channels, false)],
        }
    })
}

fn add_backward() -> impl Strategy<Value = Case> {
    (tiled_add(), any::<bool>(), draw()).prop_map(|(add, accumulate, draw)| {
        let pixels = draw.batch_size() * add.pixels;
        Case {
            kernel: Kernel::AddBackward(AddBackward { add, accumulate }),
            step: draw.step,
            reads: vec![draw.numbers(0, pixels * add.channels)],
            writes: vec![draw.target(1, pixels * add.tile, accumulate)],
        }
    })
}

fn part() -> impl Strategy<Value = Part> {
    (1..=50_usize, channels(), 0..=20_usize, 0..=20_usize).prop_map(
        |(pixels, count, first, rest)| Part {
            pixels,
            channels: first + count + rest,
            first,
            count,
        },
    )
}

fn concat_forward() -> impl Strategy<Value = Case> {
    (part(), draw()).prop_map(|(part, draw)| {
        let pixels = draw.batch_size() * part.pixels;
        Case {
            kernel: Kernel::ConcatForward(ConcatForward { part }),
            step: draw.step,
            reads: vec![draw.numbers(0, pixels * part.count)],
            // The other parts' channels stay as they are.
            writes: vec![draw.numbers(1, pixels * part.channels)],
        }
    })
}

fn concat_backward() -> impl Strategy<Value = Case> {
    (part(), any::<bool>(), draw()).prop_map(|(part, accumulate, draw)| {
        let pixels = draw.batch_size() * part.pixels;
        Case {
            kernel: Kernel::ConcatBackward(ConcatBackward { part, accumulate }),
            step: draw.step,
            reads: vec![draw.numbers(0, pixels * part.channels)],
            writes: vec![draw.target(1, pixels * part.count, accumulate)],
        }
    })
}

fn dropout() -> impl Strategy<Value = Case> {
    let keep_prob = prop_oneof![4 => 0.1..1.0_f32, 1 => Just(1.0)];
    (1..=300_usize, keep_prob, 0..5_u32, any::<bool>(), draw()).prop_map(
        |(len, keep_prob, layer, accumulate, draw)| {
            let all = draw.batch_size() * len;
            Case {
                kernel: Kernel::Dropout(Dropout { len, keep_prob, layer, accumulate }),
                step: draw.step,
                reads: vec![draw.numbers(0, all)],
                writes: vec![draw.target(1, all, accumulate)],
            }
        },
    )
}

fn noise() -> impl Strategy<Value = Case> {
    let ratio = prop_oneof![Just(0.0_f32), Just(0.5), Just(1.0)];
    (1..=300_usize, -1.0..1.0_f32, 0.0..2.0_f32, ratio, 0..5_u32, draw()).prop_map(
        |(len, mean, std, ratio, layer, draw)| {
            let all = draw.batch_size() * len;
            Case {
                kernel: Kernel::Noise(Noise { len, mean, std, ratio, layer }),
                step: draw.step,
                reads: vec![draw.numbers(0, all)],
                writes: vec![draw.target(1, all, false)],
            }
        },
    )
}

pub fn families() -> Vec<Family> {
    vec![
        family("activation_forward", activation_forward()),
        family("activation_backward", activation_backward()),
        family("add_forward", add_forward()),
        family("add_backward", add_backward()),
        family("concat_forward", concat_forward()),
        family("concat_backward", concat_backward()),
        family("dropout", dropout()),
        family("noise", noise()),
    ]
}
