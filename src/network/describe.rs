//! The structure of a network, layer by layer: shapes, parameters, arithmetic, memory, receptive field.

use super::graph::Graph;
use crate::ops::Reach;
use crate::shape::Shape;
use serde::Serialize;

/// One layer, or a group of layers with the sums over what it holds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StructureRow {
    /// Number of the layer, from 1; none for a group.
    pub index: Option<usize>,
    /// Groups around it.
    pub depth: usize,
    /// `conv`, `max` …, or the name of the macro.
    pub kind: String,
    /// Path in the graph.
    pub path: String,
    /// Node of the graph that makes its output.
    pub node: usize,
    /// Shape that it reads.
    pub input: Shape,
    /// Shape that it makes.
    pub output: Shape,
    /// Dimensions of the kernel (HWIO, or in × out) of a `conv` or `full` layer.
    pub kernel: Option<Vec<usize>>,
    /// Kernels and biases; normalisation's scale and shift are not counted.
    pub parameters: u64,
    /// Multiply-adds of classifying one photo.
    pub multiply_adds: u64,
    /// Two a multiply-add.
    pub flops: u64,
    /// Bytes of all outputs for one photo while training.
    pub activation_bytes: u64,
    /// Rows and columns of the photo that one output pixel can see, padding not clipped.
    pub receptive_field: [usize; 2],
    /// Rows and columns of the photo from one output pixel to the next.
    pub jump: [usize; 2],
}

impl Default for StructureRow {
    fn default() -> Self {
        Self {
            index: None,
            depth: 0,
            kind: String::new(),
            path: String::new(),
            node: 0,
            input: Shape::new(0, 0, 0),
            output: Shape::new(0, 0, 0),
            kernel: None,
            parameters: 0,
            multiply_adds: 0,
            flops: 0,
            activation_bytes: 0,
            receptive_field: [1, 1],
            jump: [1, 1],
        }
    }
}

impl StructureRow {
    /// Fills in what nodes `first_node ..` of the graph amount to; `output` is the last of them.
    pub(super) fn measure(
        &mut self,
        graph: &Graph,
        first_node: usize,
        output: usize,
        field: [[usize; 2]; 2],
    ) {
        self.node = output;
        self.output = graph.nodes[output].shape;
        [self.receptive_field, self.jump] = field;
        for node in &graph.nodes[first_node..] {
            let Some(operation) = node.op.operation() else { continue };
            let inputs = graph.input_shapes(node);
            self.multiply_adds += operation.multiply_adds(&inputs, node.shape);
            self.activation_bytes += 4 * node.shape.len() as u64;
            let specs = operation.parameters(&inputs, node.shape);
            for spec in specs.iter().filter(|spec| spec.counted) {
                self.parameters += spec.len() as u64;
                if self.index.is_some() && spec.name == "kernel" {
                    self.kernel = Some(spec.shape.clone());
                }
            }
        }
        self.flops = 2 * self.multiply_adds;
    }
}

/// As the report prints it: `7: conv, [16, 16, 16]=>[8, 8, 32] pm:3x3x16x32+32=4640`.
impl std::fmt::Display for StructureRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:indent$}", "", indent = 2 * self.depth)?;
        if let Some(index) = self.index {
            write!(f, "{index}: ")?;
        }
        write!(f, "{}, {}=>{}", self.kind, self.input, self.output)?;
        if let Some(kernel) = &self.kernel {
            let sizes: Vec<String> = kernel.iter().map(usize::to_string).collect();
            let biases = kernel.last().copied().unwrap_or(0);
            write!(f, " pm:{}+{biases}={}", sizes.join("x"), self.parameters)?;
        }
        Ok(())
    }
}

/// All layers of a network, in order, groups before what they hold.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Structure {
    /// The layers.
    pub rows: Vec<StructureRow>,
    /// The textbook's total: kernels and biases.
    pub parameters: u64,
    /// Multiply-adds of classifying one photo.
    pub multiply_adds: u64,
    /// Two a multiply-add.
    pub flops: u64,
    /// Bytes of all outputs for one photo while training.
    pub activation_bytes: u64,
}

impl Structure {
    pub(super) fn new(rows: Vec<StructureRow>, graph: &Graph) -> Self {
        let mut total = StructureRow::default();
        total.measure(graph, 0, graph.output(), [[1, 1], [1, 1]]);
        Self {
            rows,
            parameters: total.parameters,
            multiply_adds: total.multiply_adds,
            flops: total.flops,
            activation_bytes: total.activation_bytes,
        }
    }
}

/// The report's listing, one layer a line, then `Total parameter count: 173637`.
impl std::fmt::Display for Structure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for row in &self.rows {
            writeln!(f, "{row}")?;
        }
        write!(f, "Total parameter count: {}", self.parameters)
    }
}

/// Receptive field (size, then jump) of an op's output, from those of its inputs; the widest branch counts.
pub(super) fn field_after(
    reach: Reach,
    inputs: &[usize],
    fields: &[[[usize; 2]; 2]],
    photo: Shape,
) -> [[usize; 2]; 2] {
    let (kernel_size, stride) = match reach {
        Reach::Pixel => ([1, 1], [1, 1]),
        Reach::Window { kernel_size, stride } => (kernel_size, stride),
        Reach::Everything => return [[photo.height, photo.width], [photo.height, photo.width]],
    };
    let mut field = [[0, 0], [0, 0]];
    for axis in [0, 1] {
        for &input in inputs {
            let [size, jump] = fields[input].map(|pair| pair[axis]);
            let reach = kernel_size[axis].saturating_sub(1).saturating_mul(jump);
            field[0][axis] = size.saturating_add(reach).max(field[0][axis]);
            field[1][axis] = jump.saturating_mul(stride[axis]).max(field[1][axis]);
        }
    }
    field
}

#[cfg(test)]
mod tests {
    use crate::network::Network;
    use crate::network::presets::preset;
    use crate::shape::Shape;

    fn structure(name: &str) -> super::Structure {
        let preset = preset(name).unwrap();
        let text = preset.text(preset.actions);
        Network::new(&text, preset.input, preset.classes).unwrap().structure
    }

    #[test]
    fn lists_as_the_report_does() {
        let listing = structure("residual_flower").to_string();
        let lines: Vec<&str> = listing.lines().collect();
        assert_eq!(lines[0], "1: conv, [64, 64, 3]=>[32, 32, 16] pm:7x7x3x16+16=2368");
        assert_eq!(lines[2], "rfull, [16, 16, 16]=>[16, 16, 16]");
        assert_eq!(lines[3], "  rf, [16, 16, 16]=>[16, 16, 16]");
        assert_eq!(lines[lines.len() - 3], "17: avg, [4, 4, 64]=>[64]");
        assert_eq!(lines[lines.len() - 2], "18: full, [64]=>[5] pm:64x5+5=325");
        assert_eq!(lines[lines.len() - 1], "Total parameter count: 173637");
        let plain = structure("plain_flower").to_string();
        assert!(plain.contains("\n  7: conv, [16, 16, 16]=>[8, 8, 32] pm:3x3x16x32+32=4640\n"));
    }

    #[test]
    fn arithmetic_of_classifying_a_photo() {
        let models = ["residual_flower", "plain_flower", "bottleneck_flower", "inception_flower"];
        let megaflops = models.map(|name| (structure(name).flops as f64 / 1e5).round() / 10.0);
        assert_eq!(megaflops, [17.8, 17.8, 17.3, 33.3]);
    }

    #[test]
    fn groups_sum_what_they_hold() {
        let structure = structure("bottleneck_flower");
        let layers = structure.rows.iter().filter(|row| row.index.is_some());
        assert_eq!(layers.map(|row| row.parameters).sum::<u64>(), structure.parameters);
        let groups = structure.rows.iter().filter(|row| row.depth == 0);
        assert_eq!(groups.clone().map(|row| row.flops).sum::<u64>(), structure.flops);
        assert_eq!(groups.map(|row| row.activation_bytes).sum::<u64>(), structure.activation_bytes);
    }

    #[test]
    fn receptive_field_follows_the_widest_branch() {
        let text = "['serial', ['conv', {'ksize': 7, 'stride': 2, 'chn': 4}], ['max', {'stride': 2}],
            ['parallel', ['conv', {'ksize': [1, 3], 'chn': 4}], ['conv', {'ksize': [5, 1], 'chn': 4}]]]";
        let rows = Network::new(text, Shape::new(32, 32, 3), 2).unwrap().structure.rows;
        let fields: Vec<_> = rows.iter().map(|row| (row.receptive_field, row.jump)).collect();
        assert_eq!(
            fields,
            [
                ([7, 7], [2, 2]),
                ([9, 9], [4, 4]),
                ([25, 17], [4, 4]),
                ([9, 17], [4, 4]),
                ([25, 9], [4, 4]),
                ([32, 32], [32, 32]),
            ]
        );
    }
}
