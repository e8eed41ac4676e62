//! Convolutions as dispatches: the tile and the split, chosen by shape.

use super::dispatch::{
    Constants, Dispatch, Grid, activation_number, flag, read, scaled, scratch, window_constants,
    write,
};
use crate::kernel::{Activation, Call, Convolution, Extent};

/// Rows and columns of a workgroup's tile; an invocation makes 8 × 4 of its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Tile {
    rows: usize,
    columns: usize,
}

/// Workgroups that keep a device busy; smaller tiles are taken to get there.
const BUSY: usize = 128;

impl Tile {
    /// The tile for a product of so many rows and columns, with `layers` of them at once.
    fn new(rows: usize, columns: usize, layers: usize) -> Self {
        let waste = |tile: usize| columns.next_multiple_of(tile);
        let tile_columns =
            [64, 32, 16, 8].into_iter().min_by_key(|&tile| (waste(tile), 64 - tile)).unwrap_or(8);
        // At least 16 invocations, at most 128.
        let sizes = match tile_columns {
            64 => [64, 32, 16],
            32 => [128, 64, 32],
            16 => [128, 64, 32],
            _ => [128, 128, 64],
        };
        let tiles =
            |tile_rows: usize| rows.div_ceil(tile_rows) * columns.div_ceil(tile_columns) * layers;
        let tile_rows =
            sizes.into_iter().find(|&size| tiles(size) >= BUSY).unwrap_or(sizes[sizes.len() - 1]);
        Self { rows: tile_rows, columns: tile_columns }
    }

    fn constants(self) -> [(&'static str, f64); 2] {
        [("TILE_ROWS", self.rows as f64), ("TILE_COLUMNS", self.columns as f64)]
    }

    /// The grid over a product.
    fn grid(self, rows: Extent, columns: usize, layers: usize) -> Grid {
        Grid { items: rows, per_group: self.rows, repeats: columns.div_ceil(self.columns), layers }
    }
}

fn shape_constants(convolution: &Convolution) -> Constants {
    let Convolution { input, output, window } = convolution;
    let mut constants = window_constants(input, output, window);
    constants.extend([
        ("IN_CHANNELS", input.channels as f64),
        ("OUT_CHANNELS", output.channels as f64),
        ("BIAS_OFFSET", convolution.bias_offset() as f64),
    ]);
    constants
}

fn work(convolution: &Convolution) -> Extent {
    Extent::PerSample(2 * convolution.multiply_adds() as usize)
}

/// `input, block → output`.
pub(super) fn forward(
    call: &Call,
    convolution: &Convolution,
    activation: Activation,
    batch_size: usize,
) -> Vec<Dispatch> {
    let (pixels, channels) = (convolution.output.pixels(), convolution.output.channels);
    let tile = Tile::new(pixels * batch_size, channels, 1);
    let mut constants = shape_constants(convolution);
    constants.extend(tile.constants());
    constants.push(("ACTIVATION", activation_number(activation)));
    let [input, block] = [call.reads[0], call.reads[1]];
    vec![Dispatch {
        shader: call.kernel.name(),
        entry: "main",
        constants,
        bindings: vec![read(input), read(block), read(input), read(block), write(call.writes[0])],
        grid: tile.grid(Extent::PerSample(pixels), channels, 1),
        work: work(convolution),
    }]
}

/// `grad_output, block, (input) → grad_input`.
pub(super) fn backward_input(
    call: &Call,
    convolution: &Convolution,
    input_activation: Activation,
    accumulate: bool,
    batch_size: usize,
) -> Vec<Dispatch> {
    let Convolution { input, window, .. } = convolution;
    let [stride_y, stride_x] = window.stride;
    let phase_pixels = input.height.div_ceil(stride_y) * input.width.div_ceil(stride_x);
    let phases = stride_y * stride_x;
    let tile = Tile::new(phase_pixels * batch_size, input.channels, phases);
    let mut constants = shape_constants(convolution);
    // The bias has no part in this gradient.
    constants.retain(|&(name, _)| name != "BIAS_OFFSET");
    constants.push(("BIAS_OFFSET", 0.0));
    constants.extend(tile.constants());
    constants.push(("INPUT_ACTIVATION", activation_number(input_activation)));
    constants.push(("ACCUMULATE", flag(accumulate)));
    let [grad_output, block] = [call.reads[0], call.reads[1]];
    let stored_input = call.reads.get(2).copied().unwrap_or(grad_output);
    vec![Dispatch {
        shader: call.kernel.name(),
        entry: "main",
        constants,
        bindings: vec![
            read(grad_output),
            read(block),
            read(stored_input),
            read(grad_output),
            read(block),
            write(call.writes[0]),
        ],
        grid: tile.grid(Extent::PerSample(phase_pixels), input.channels, phases),
        work: work(convolution),
    }]
}

/// Terms of a sum in one part at least, a multiple of the shader's TILE_DEPTH.
const SHORTEST_SPLIT: usize = 64;

/// `input, grad_output → grad_block`.
pub(super) fn backward_weight(
    call: &Call,
    convolution: &Convolution,
    batch_size: usize,
) -> Vec<Dispatch> {
    let (depth, channels) = (convolution.depth(), convolution.output.channels);
    let rows = convolution.output.pixels() * batch_size;
    let most_splits = rows.div_ceil(SHORTEST_SPLIT);
    let tile = Tile::new(depth, channels, most_splits);
    let tiles = depth.div_ceil(tile.rows) * channels.div_ceil(tile.columns);
    let splits = (2 * BUSY / tiles).clamp(1, most_splits);
    let split_rows = rows.div_ceil(splits).next_multiple_of(16);
    let splits = rows.div_ceil(split_rows);
    let product_len = (depth + 1) * channels;
    let split_bias = if splits == 1 { convolution.bias_offset() } else { convolution.kernel_len() };
    let mut constants = shape_constants(convolution);
    constants.extend(tile.constants());
    constants.extend([
        ("SPLITS", splits as f64),
        ("SPLIT_ROWS", split_rows as f64),
        ("SPLIT_LEN", product_len as f64),
        ("SPLIT_BIAS", split_bias as f64),
    ]);
    let [input, grad_output] = [call.reads[0], call.reads[1]];
    let grad_block = write(call.writes[0]);
    let products = if splits == 1 { grad_block } else { scratch(splits * product_len, true) };
    let main = Dispatch {
        shader: call.kernel.name(),
        entry: "main",
        constants,
        bindings: vec![read(input), read(grad_output), read(input), read(grad_output), products],
        grid: tile.grid(Extent::Fixed(depth), channels, splits),
        work: work(convolution),
    };
    if splits == 1 {
        return vec![main];
    }
    let finish = Dispatch {
        entry: "finish",
        bindings: vec![scratch(splits * product_len, false), grad_block],
        grid: Grid::of(Extent::Fixed(product_len), 64),
        work: scaled(Extent::Fixed(splits * product_len), 4),
        ..main.clone()
    };
    vec![main, finish]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_waste_few_columns_and_keep_the_device_busy() {
        assert_eq!(Tile::new(1 << 20, 64, 1), Tile { rows: 64, columns: 64 });
        assert_eq!(Tile::new(1 << 20, 80, 1).columns, 16);
        assert_eq!(Tile::new(1 << 20, 5, 1).columns, 8);
        assert_eq!(Tile::new(2560, 16, 1), Tile { rows: 32, columns: 16 });
    }
}
