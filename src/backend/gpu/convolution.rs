//! Convolutions as dispatches of tiled matrix products: the tile and the splits of the sums, chosen by shape.

use super::constants::{Constants, folded_norm};
use super::dispatch::{
    Binding, Dispatch, Grid, Work, as_vec4, read, read_or_stand_in, read_scratch, write,
    write_scratch,
};
use super::shaders::shader;
use crate::kernel::{
    Call, Conv2dBackwardInput, Conv2dBackwardWeight, Conv2dForward, Convolution, Extent,
};

/// The part of a product that one workgroup computes, as `shaders/shared/tiled_product.wgsl` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Tile {
    rows: usize,
    columns: usize,
    /// How many terms of the sums are in workgroup memory at a time.
    depth: usize,
    /// How many columns an invocation computes, of 8 rows each.
    width: usize,
    /// How many invocations share the terms of a block of 8 × `width` sums.
    slices: usize,
}

/// So many workgroups keep a device busy; smaller tiles are taken to get there.
const BUSY: usize = 128;
/// A workgroup whose blocks are narrow has so many invocations.
const INVOCATIONS: usize = 128;
/// An invocation whose block is wide computes so many columns.
const WIDE: usize = 8;
/// A tile with wide blocks has so many terms in workgroup memory at a time.
const WIDE_DEPTH: usize = 16;
/// Tiles have one of these numbers of rows and columns, the most economical first.
const SIZES: [[usize; 2]; 16] = [
    [128, 128],
    [128, 64],
    [64, 64],
    [128, 32],
    [64, 32],
    [32, 64],
    [128, 16],
    [32, 32],
    [64, 16],
    [16, 64],
    [128, 8],
    [32, 16],
    [16, 32],
    [64, 8],
    [16, 16],
    [32, 8],
];

/// The largest devices are to be given so many tiles of 128 × 64: six for each of an H100's 132 cores, so that the last ones
/// do not keep the others waiting.
const PLENTY: usize = 6 * 132;
/// Splitting the sums costs more than it saves where a workgroup goes fewer rounds over its terms.
const MANY_ROUNDS: usize = 32;

/// Chooses the tile of a product, and how many splits its sums have.
fn tile_and_splits(rows: usize, columns: usize, layers: usize, terms: usize) -> (Tile, usize) {
    let most = terms / (MANY_ROUNDS * WIDE_DEPTH);
    if most > 1 && columns.is_multiple_of(64) {
        let tile = Tile::new(rows, columns, layers * most, terms);
        // Narrow blocks are of small products, where a second pass costs more than it saves.
        if tile.width == WIDE {
            let groups = rows.div_ceil(tile.rows) * columns.div_ceil(tile.columns) * layers;
            return (tile, tile.splits(groups, most));
        }
    }
    (Tile::new(rows, columns, layers, terms), 1)
}

impl Tile {
    /// Chooses the tile for a product of so many rows and columns, with `layers` of them at once, each element a sum of
    /// `terms`.
    fn new(rows: usize, columns: usize, layers: usize, terms: usize) -> Self {
        let groups = |[r, c]: [usize; 2]| rows.div_ceil(r) * columns.div_ceil(c) * layers;
        // Columns beyond the product's are work for nothing.
        let least = SIZES.map(|[_, c]| columns.next_multiple_of(c)).into_iter().min();
        let fitting =
            SIZES.into_iter().filter(|&[_, c]| Some(columns.next_multiple_of(c)) == least);
        let mut best = [128, 8];
        for size in fitting {
            best = size;
            if groups(size) >= BUSY {
                break;
            }
        }
        Self::of(best, terms)
    }

    fn of([rows, columns]: [usize; 2], terms: usize) -> Self {
        if columns >= 64 && rows >= 64 {
            return Self { rows, columns, depth: WIDE_DEPTH, width: WIDE, slices: 1 };
        }
        let slices = INVOCATIONS / (rows * columns / 32);
        // A block of 4 × 4 elements a side for every invocation, in 16 KiB together.
        let most = 2048 / rows.max(columns);
        let depth = terms.next_power_of_two().clamp(4 * slices, most.max(4 * slices));
        Self { rows, columns, depth, width: 4, slices }
    }

    /// Returns how many splits the sums have in a product of `groups` tiles, `most` at most.
    fn splits(self, groups: usize, most: usize) -> usize {
        let wanted = match self.width {
            WIDE => PLENTY * 128 * 64 / (self.rows * self.columns),
            _ => 2 * BUSY,
        };
        (wanted / groups.max(1)).clamp(1, most.max(1))
    }

    fn constants(self) -> Constants {
        Constants::default()
            .with("TILE_ROWS", self.rows)
            .with("TILE_COLUMNS", self.columns)
            .with("TILE_DEPTH", self.depth)
            .with("WIDTH", self.width)
            .with("SLICES", self.slices)
    }

    /// Lays the grid over a product.
    fn grid(self, rows: Extent, columns: usize, layers: usize) -> Grid {
        Grid { items: rows, per_group: self.rows, repeats: columns.div_ceil(self.columns), layers }
    }
}

/// Lists the constants of `shaders/shared/splits.wgsl`.
fn split_constants(splits: usize, split_len: usize) -> Constants {
    Constants::default().with("SPLITS", splits).with("SPLIT_LEN", split_len)
}

/// Counts the arithmetic of a convolution, which is the same forward and backward.
pub(super) fn work(convolution: &Convolution) -> Work {
    Work::of(Extent::PerSample(1), 2.0 * convolution.multiply_adds() as f64)
}

/// `input, block, (running), (norm's block) → output`. With `takes_statistics` the moments of every tile's rows go to
/// scratch, if the sums have one split.
pub(super) fn forward(
    call: &Call,
    kernel: &Conv2dForward,
    batch_size: usize,
    takes_statistics: bool,
) -> Vec<Dispatch> {
    let convolution = &kernel.convolution;
    let (pixels, channels) = (convolution.output.pixels(), convolution.output.channels);
    let (tile, splits) = forward_tile(convolution, batch_size);
    let split_len = pixels * batch_size * channels;
    let [input, block] = [call.reads[0], call.reads[1]];
    let running = read_or_stand_in(call.reads.get(2), block);
    let norm_block = read_or_stand_in(call.reads.get(3), block);
    let output = write(call.writes[0]);
    let tiles = (pixels * batch_size).div_ceil(tile.rows);
    // `main` mentions the moments even where it takes none, and something must be bound then: a pair of scratch; or the
    // output, where the partial sums have the scratch buffer, which cannot be bound twice to be written.
    let moments_len = if takes_statistics { 2 * channels * tiles } else { 2 };
    let (stored, moments) = if splits == 1 {
        (output, write_scratch(moments_len))
    } else {
        (write_scratch(splits * split_len), output)
    };
    let main = Dispatch {
        shader: shader!("conv2d/forward"),
        entry: "main",
        constants: Constants::from(convolution)
            .and(tile.constants())
            .and(split_constants(splits, split_len))
            .and(folded_norm(kernel.norm.as_ref()))
            .with("BIAS_OFFSET", convolution.bias_offset())
            .with("ACTIVATION", kernel.activation)
            .with("STATISTICS", takes_statistics),
        bindings: vec![
            read(input),
            read(block),
            running,
            norm_block,
            as_vec4(read(input)),
            as_vec4(read(block)),
            stored,
            moments,
        ],
        grid: tile.grid(Extent::PerSample(pixels), channels, splits),
        work: work(convolution),
    };
    if splits == 1 {
        return vec![main];
    }
    let partial_sums = read_scratch(splits * split_len);
    let bindings = vec![partial_sums, read(block), running, norm_block, output];
    let finish = finish_of(&main, bindings, pixels * channels, splits);
    vec![main, finish]
}

/// Makes the pass that adds up `splits` partial sums, `len` of them a sample.
fn finish_of(main: &Dispatch, bindings: Vec<Binding>, len: usize, splits: usize) -> Dispatch {
    Dispatch {
        entry: "finish",
        bindings,
        grid: Grid::of(Extent::PerSample(len), 4 * 64),
        work: Work::of(Extent::PerSample(splits * len), 4.0),
        ..main.clone()
    }
}

fn forward_tile(convolution: &Convolution, batch_size: usize) -> (Tile, usize) {
    let rows = convolution.output.pixels() * batch_size;
    tile_and_splits(rows, convolution.output.channels, 1, convolution.depth())
}

/// Returns how many rows a tile of the forward pass has, whose moments are one chunk where that pass takes statistics; `None`
/// where it cannot.
pub(super) fn forward_tile_rows(convolution: &Convolution, batch_size: usize) -> Option<usize> {
    let (tile, splits) = forward_tile(convolution, batch_size);
    (splits == 1).then_some(tile.rows)
}

/// Returns how many phases of the stride input pixels fall into, and the pixels of the largest one.
pub(super) fn phases(convolution: &Convolution) -> (usize, usize) {
    let Convolution { input, window, .. } = convolution;
    let [stride_y, stride_x] = window.stride;
    let pixels = input.height.div_ceil(stride_y) * input.width.div_ceil(stride_x);
    (stride_y * stride_x, pixels)
}

/// `grad_output, block, (input) → grad_input`.
pub(super) fn backward_input(
    call: &Call,
    kernel: &Conv2dBackwardInput,
    batch_size: usize,
) -> Vec<Dispatch> {
    let convolution = &kernel.convolution;
    let input = &convolution.input;
    let (phases, phase_pixels) = phases(convolution);
    let terms = convolution.window.area().div_ceil(phases) * convolution.output.channels;
    let rows = phase_pixels * batch_size;
    let (tile, splits) = tile_and_splits(rows, input.channels, phases, terms);
    let split_len = input.len() * batch_size;
    let [grad_output, block] = [call.reads[0], call.reads[1]];
    let stored_input = read_or_stand_in(call.reads.get(2), grad_output);
    let grad_input = write(call.writes[0]);
    let stored = if splits == 1 { grad_input } else { write_scratch(splits * split_len) };
    let main = Dispatch {
        shader: shader!("conv2d/backward_input"),
        entry: "main",
        constants: Constants::from(convolution)
            .and(tile.constants())
            .and(split_constants(splits, split_len))
            .with("INPUT_ACTIVATION", kernel.input_activation)
            .with("ACCUMULATE", kernel.accumulate),
        bindings: vec![
            read(grad_output),
            read(block),
            stored_input,
            as_vec4(read(grad_output)),
            as_vec4(read(block)),
            as_vec4(stored_input),
            stored,
        ],
        grid: tile.grid(Extent::PerSample(phase_pixels), input.channels, phases * splits),
        work: work(convolution),
    };
    if splits == 1 {
        return vec![main];
    }
    let bindings = vec![read_scratch(splits * split_len), stored_input, grad_input];
    let finish = finish_of(&main, bindings, input.len(), splits);
    vec![main, finish]
}

/// Splitting the sums over pixels costs more than it saves where a workgroup goes no more rounds than this over its terms.
const FEW_ROUNDS: usize = 6;

/// `input, grad_output → grad_block`.
pub(super) fn backward_weight(
    call: &Call,
    kernel: &Conv2dBackwardWeight,
    batch_size: usize,
) -> Vec<Dispatch> {
    let convolution = &kernel.convolution;
    let (depth, channels) = (convolution.depth(), convolution.output.channels);
    let rows = convolution.output.pixels() * batch_size;
    let tile = Tile::new(depth, channels, rows.div_ceil(128), rows);
    let most_splits = rows.div_ceil(FEW_ROUNDS * tile.depth);
    let tiles = depth.div_ceil(tile.rows) * channels.div_ceil(tile.columns);
    let splits = tile.splits(tiles, most_splits);
    let split_rows = rows.div_ceil(splits).next_multiple_of(tile.depth);
    let splits = rows.div_ceil(split_rows);
    let [input, grad_output] = [call.reads[0], call.reads[1]];
    WeightSplits::new(convolution, splits).dispatches(
        Constants::from(convolution),
        write(call.writes[0]),
        |products, constants| Dispatch {
            shader: shader!("conv2d/backward_weight"),
            entry: "main",
            constants: constants.and(tile.constants()).with("SPLIT_ROWS", split_rows),
            bindings: vec![
                read(input),
                read(grad_output),
                as_vec4(read(input)),
                as_vec4(read(grad_output)),
                products,
            ],
            grid: tile.grid(Extent::Fixed(depth), channels, splits),
            work: work(convolution),
        },
    )
}

/// How the gradient of a kernel and a bias is computed in splits.
pub(super) struct WeightSplits {
    pub splits: usize,
    /// Elements of the kernel.
    pub kernel_len: usize,
    /// Offset of the bias in the parameter block.
    pub bias_offset: usize,
    /// Elements of the bias.
    pub channels: usize,
}

impl WeightSplits {
    pub fn new(convolution: &Convolution, splits: usize) -> Self {
        Self {
            splits,
            kernel_len: convolution.kernel_len(),
            bias_offset: convolution.bias_offset(),
            channels: convolution.output.channels,
        }
    }

    /// Computes the gradient, and adds the splits up in another pass. `main` is given where its products go, and the
    /// `shapes` with the constants of `shaders/shared/weight_splits.wgsl`.
    pub fn dispatches(
        &self,
        shapes: Constants,
        grad_block: Binding,
        main: impl FnOnce(Binding, Constants) -> Dispatch,
    ) -> Vec<Dispatch> {
        let &Self { splits, kernel_len, bias_offset, channels } = self;
        let product_len = kernel_len + channels;
        let split_bias = if splits == 1 { bias_offset } else { kernel_len };
        let constants = shapes
            .and(split_constants(splits, product_len))
            .with("KERNEL_LEN", kernel_len)
            .with("BIAS_OFFSET", bias_offset)
            .with("SPLIT_BIAS", split_bias);
        if splits == 1 {
            return vec![main(grad_block, constants)];
        }
        let main = main(write_scratch(splits * product_len), constants);
        let finish = Dispatch {
            entry: "finish",
            bindings: vec![read_scratch(splits * product_len), grad_block],
            grid: Grid::of(Extent::Fixed(product_len), 64),
            work: Work::of(Extent::Fixed(splits * product_len), 4.0),
            ..main.clone()
        };
        vec![main, finish]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_waste_few_columns_and_keep_the_device_busy() {
        let size = |tile: Tile| [tile.rows, tile.columns];
        assert_eq!(size(Tile::new(1 << 20, 64, 1, 576)), [128, 64]);
        assert_eq!(size(Tile::new(1 << 20, 128, 1, 576)), [128, 128]);
        assert_eq!(size(Tile::new(6272, 128, 1, 576)), [64, 64]);
        assert_eq!(Tile::new(1 << 20, 80, 1, 576).columns, 16);
        assert_eq!(Tile::new(1 << 20, 5, 1, 576).columns, 8);
        assert_eq!(size(Tile::new(2560, 16, 1, 144)), [16, 16]);
    }

    #[test]
    fn long_sums_of_few_tiles_are_split() {
        // residual_34 at batch 32: the last blocks, those before, the first ones.
        assert_eq!(tile_and_splits(1568, 512, 1, 4608), (Tile::of([128, 128], 4608), 7));
        assert_eq!(tile_and_splits(6272, 256, 1, 2304), (Tile::of([128, 128], 2304), 4));
        assert_eq!(tile_and_splits(100_352, 64, 1, 576).1, 1);
        // Small products, and many tiles.
        assert_eq!(tile_and_splits(10, 64, 1, 4096).1, 1);
        assert_eq!(tile_and_splits(1 << 20, 128, 1, 4608).1, 1);
    }

    #[test]
    fn a_tile_fits_its_invocations_and_workgroup_memory() {
        for size in SIZES {
            for terms in [1, 16, 100, 5000] {
                let tile = Tile::of(size, terms);
                let threads = tile.rows / 8 * tile.columns / tile.width * tile.slices;
                assert!(tile.rows * tile.depth / 16 <= threads, "{tile:?}");
                assert!(tile.columns * tile.depth / 16 <= threads, "{tile:?}");
                assert!(tile.depth.is_multiple_of(4 * tile.slices), "{tile:?}");
                assert!((tile.rows + tile.columns) * tile.depth <= 4096, "{tile:?}");
                assert!(threads <= 256, "{tile:?}");
                assert!(tile.slices == 1 || threads <= 128, "{tile:?}");
            }
        }
    }
}
