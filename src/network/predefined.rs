//! The macros that every network text may use: building blocks, inception modules and the nine models.
//!
//! Each takes `#act`, the actions of its convolutions. ResNet blocks: He et al., 2016; Inception v3: Szegedy et al., 2016;
//! VGG: Simonyan and Zisserman, 2015; the flower models are the textbook's.

/// Name and body of each macro.
pub const MACROS: [(&str, &str); 28] = [
    ("pn", PN),
    ("rf", RF),
    ("rfull", RFULL),
    ("rh", RH),
    ("rhalf", RHALF),
    ("bf", BF),
    ("bfull", BFULL),
    ("bh", BH),
    ("bhalf", BHALF),
    ("p24", P24),
    ("flower_inception1", FLOWER_INCEPTION1),
    ("flower_resize", FLOWER_RESIZE),
    ("flower_inception2", FLOWER_INCEPTION2),
    ("v3_preproc", V3_PREPROC),
    ("v3_inception1", V3_INCEPTION1),
    ("v3_resize1", V3_RESIZE1),
    ("v3_inception2", V3_INCEPTION2),
    ("v3_resize2", V3_RESIZE2),
    ("v3_inception3", V3_INCEPTION3),
    ("inception_flower", INCEPTION_FLOWER),
    ("plain_flower", PLAIN_FLOWER),
    ("residual_flower", RESIDUAL_FLOWER),
    ("bottleneck_flower", BOTTLENECK_FLOWER),
    ("inception_v3", INCEPTION_V3),
    ("vgg_19", VGG_19),
    ("plain_34", PLAIN_34),
    ("residual_34", RESIDUAL_34),
    ("bottleneck_152", BOTTLENECK_152),
];

/// A convolution that halves rows and columns, then `#cnt1` that keep them.
const PN: &str = "\
['serial',
    ['conv', {'ksize': 3, 'chn': '#n', 'stride': 2, 'actions': '#act'}],
    ['loop', {'repeat': '#cnt1'}, ['conv', {'ksize': 3, 'chn': '#n', 'actions': '#act'}]]]";

/// A residual block.
const RF: &str = "\
['add', {'x': True},
    ['serial',
        ['conv', {'ksize': 3, 'chn': '#n', 'actions': '#act'}],
        ['conv', {'ksize': 3, 'chn': '#n', 'actions': '#act'}]]]";

/// `#cnt` residual blocks.
const RFULL: &str = "\
['loop', {'repeat': '#cnt'}, ['custom', {'name': 'rf', 'args': {'#n': '#n', '#act': '#act'}}]]";

/// A residual block that halves rows and columns.
const RH: &str = "\
['add', {'x': False},
    ['serial',
        ['conv', {'ksize': 3, 'chn': '#n', 'stride': 2, 'actions': '#act'}],
        ['conv', {'ksize': 3, 'chn': '#n', 'actions': '#act'}]],
    ['avg', {'stride': 2}]]";

/// One that halves, then `#cnt1` residual blocks.
const RHALF: &str = "\
['serial',
    ['custom', {'name': 'rh', 'args': {'#n': '#n', '#act': '#act'}}],
    ['loop', {'repeat': '#cnt1'}, ['custom', {'name': 'rf', 'args': {'#n': '#n', '#act': '#act'}}]]]";

/// A bottleneck block.
const BF: &str = "\
['add', {'x': True},
    ['serial',
        ['conv', {'ksize': 1, 'chn': '#n1', 'actions': '#act'}],
        ['conv', {'ksize': 3, 'chn': '#n1', 'actions': '#act'}],
        ['conv', {'ksize': 1, 'chn': '#n4', 'actions': '#act'}]]]";

/// `#cnt` bottleneck blocks.
const BFULL: &str = "\
['loop', {'repeat': '#cnt'}, ['custom', {'name': 'bf', 'args': {'#n1': '#n1', '#n4': '#n4', '#act': '#act'}}]]";

/// A bottleneck block that halves rows and columns.
const BH: &str = "\
['add', {'x': False},
    ['serial',
        ['conv', {'ksize': 1, 'chn': '#n1', 'stride': 2, 'actions': '#act'}],
        ['conv', {'ksize': 3, 'chn': '#n1', 'actions': '#act'}],
        ['conv', {'ksize': 1, 'chn': '#n4', 'actions': '#act'}]],
    ['avg', {'stride': 2}]]";

/// One that halves, then `#cnt1` bottleneck blocks.
const BHALF: &str = "\
['serial',
    ['custom', {'name': 'bh', 'args': {'#n1': '#n1', '#n4': '#n4', '#act': '#act'}}],
    ['loop', {'repeat': '#cnt1'}, ['custom', {'name': 'bf', 'args': {'#n1': '#n1', '#n4': '#n4', '#act': '#act'}}]]]";

/// A stage of VGG.
const P24: &str = "\
['serial',
    ['loop', {'repeat': '#repeat'}, ['conv', {'ksize': 3, 'chn': '#chn', 'actions': '#act'}]],
    ['max', {'stride': 2}]]";

/// Inception module with filters of 1, 3 and 5 pixels (the last as two of 3).
const FLOWER_INCEPTION1: &str = "\
['parallel',
    ['conv', {'ksize': 1, 'chn': 4, 'actions': '#act'}],
    ['conv', {'ksize': 3, 'chn': 6, 'actions': '#act'}],
    ['serial',
        ['conv', {'ksize': 3, 'chn': 6, 'actions': '#act'}],
        ['conv', {'ksize': 3, 'chn': 6, 'actions': '#act'}]],
    ['serial',
        ['avg', {'ksize': 3, 'stride': 1}],
        ['conv', {'ksize': 1, 'chn': 4, 'actions': '#act'}]]]";

/// Halves rows and columns three ways at once.
const FLOWER_RESIZE: &str = "\
['parallel',
    ['conv', {'ksize': 3, 'chn': 12, 'stride': 2, 'actions': '#act'}],
    ['serial',
        ['conv', {'ksize': 3, 'chn': 12, 'actions': '#act'}],
        ['conv', {'ksize': 3, 'chn': 12, 'stride': 2, 'actions': '#act'}]],
    ['avg', {'ksize': 3, 'stride': 2}]]";

/// Inception module whose 3 × 3 filters are split into rows and columns.
const FLOWER_INCEPTION2: &str = "\
['parallel',
    ['conv', {'ksize': 1, 'chn': 8, 'actions': '#act'}],
    ['serial',
        ['conv', {'ksize': 3, 'chn': 8, 'actions': '#act'}],
        ['parallel',
            ['conv', {'ksize': [1, 3], 'chn': 8, 'actions': '#act'}],
            ['conv', {'ksize': [3, 1], 'chn': 8, 'actions': '#act'}]]],
    ['serial',
        ['conv', {'ksize': 1, 'chn': 8, 'actions': '#act'}],
        ['conv', {'ksize': 3, 'chn': 8, 'actions': '#act'}],
        ['parallel',
            ['conv', {'ksize': [1, 3], 'chn': 8, 'actions': '#act'}],
            ['conv', {'ksize': [3, 1], 'chn': 8, 'actions': '#act'}]]],
    ['serial',
        ['avg', {'ksize': 3, 'stride': 1}],
        ['conv', {'ksize': 1, 'chn': 8, 'actions': '#act'}]]]";

/// The stem of Inception v3.
const V3_PREPROC: &str = "\
['serial',
    ['conv', {'ksize': 3, 'chn': 32, 'stride': 2, 'padding': 'VALID', 'actions': '#act'}],
    ['conv', {'ksize': 3, 'chn': 32, 'padding': 'VALID', 'actions': '#act'}],
    ['conv', {'ksize': 3, 'chn': 64, 'actions': '#act'}],
    ['max', {'ksize': 3, 'stride': 2, 'padding': 'VALID'}],
    ['conv', {'ksize': 1, 'chn': 80, 'padding': 'VALID', 'actions': '#act'}],
    ['conv', {'ksize': 3, 'chn': 192, 'padding': 'VALID', 'actions': '#act'}],
    ['max', {'ksize': 3, 'stride': 2, 'padding': 'VALID'}]]";

/// Inception v3's first module; `#chn` channels after its pooling.
const V3_INCEPTION1: &str = "\
['parallel',
    ['conv', {'ksize': 1, 'chn': 64, 'actions': '#act'}],
    ['serial',
        ['conv', {'ksize': 1, 'chn': 48, 'actions': '#act'}],
        ['conv', {'ksize': 5, 'chn': 64, 'actions': '#act'}]],
    ['serial',
        ['conv', {'ksize': 1, 'chn': 64, 'actions': '#act'}],
        ['conv', {'ksize': 3, 'chn': 96, 'actions': '#act'}],
        ['conv', {'ksize': 3, 'chn': 96, 'actions': '#act'}]],
    ['serial',
        ['avg', {'ksize': 3, 'stride': 1}],
        ['conv', {'ksize': 1, 'chn': '#chn', 'actions': '#act'}]]]";

/// Inception v3's first reduction.
const V3_RESIZE1: &str = "\
['parallel',
    ['conv', {'ksize': 3, 'chn': 384, 'stride': 2, 'actions': '#act'}],
    ['serial',
        ['conv', {'ksize': 1, 'chn': 64, 'actions': '#act'}],
        ['conv', {'ksize': 3, 'chn': 96, 'actions': '#act'}],
        ['conv', {'ksize': 3, 'chn': 96, 'stride': 2, 'actions': '#act'}]],
    ['max', {'ksize': 3, 'stride': 2}]]";

/// Inception v3's second module: 7 × 7 filters split into rows and columns.
const V3_INCEPTION2: &str = "\
['parallel',
    ['conv', {'ksize': 1, 'chn': 192, 'actions': '#act'}],
    ['serial',
        ['conv', {'ksize': 1, 'chn': '#chn', 'actions': '#act'}],
        ['conv', {'ksize': [1, 7], 'chn': '#chn', 'actions': '#act'}],
        ['conv', {'ksize': [7, 1], 'chn': 192, 'actions': '#act'}]],
    ['serial',
        ['conv', {'ksize': 1, 'chn': '#chn', 'actions': '#act'}],
        ['conv', {'ksize': [7, 1], 'chn': '#chn', 'actions': '#act'}],
        ['conv', {'ksize': [1, 7], 'chn': '#chn', 'actions': '#act'}],
        ['conv', {'ksize': [7, 1], 'chn': '#chn', 'actions': '#act'}],
        ['conv', {'ksize': [1, 7], 'chn': 192, 'actions': '#act'}]],
    ['serial',
        ['avg', {'ksize': 3, 'stride': 1}],
        ['conv', {'ksize': 1, 'chn': 192, 'actions': '#act'}]]]";

/// Inception v3's second reduction.
const V3_RESIZE2: &str = "\
['parallel',
    ['serial',
        ['conv', {'ksize': 1, 'chn': 192, 'actions': '#act'}],
        ['conv', {'ksize': 3, 'chn': 320, 'stride': 2, 'actions': '#act'}]],
    ['serial',
        ['conv', {'ksize': 1, 'chn': 192, 'actions': '#act'}],
        ['conv', {'ksize': [1, 7], 'chn': 192, 'actions': '#act'}],
        ['conv', {'ksize': [7, 1], 'chn': 192, 'actions': '#act'}],
        ['conv', {'ksize': 3, 'chn': 192, 'stride': 2, 'actions': '#act'}]],
    ['max', {'ksize': 3, 'stride': 2}]]";

/// Inception v3's third module.
const V3_INCEPTION3: &str = "\
['parallel',
    ['conv', {'ksize': 1, 'chn': 320, 'actions': '#act'}],
    ['serial',
        ['conv', {'ksize': 3, 'chn': 384, 'actions': '#act'}],
        ['parallel',
            ['conv', {'ksize': [1, 3], 'chn': 384, 'actions': '#act'}],
            ['conv', {'ksize': [3, 1], 'chn': 384, 'actions': '#act'}]]],
    ['serial',
        ['conv', {'ksize': 1, 'chn': 448, 'actions': '#act'}],
        ['conv', {'ksize': 3, 'chn': 384, 'actions': '#act'}],
        ['parallel',
            ['conv', {'ksize': [1, 3], 'chn': 384, 'actions': '#act'}],
            ['conv', {'ksize': [3, 1], 'chn': 384, 'actions': '#act'}]]],
    ['serial',
        ['avg', {'ksize': 3, 'stride': 1}],
        ['conv', {'ksize': 1, 'chn': 192, 'actions': '#act'}]]]";

/// Inception for 96 × 96 photos.
const INCEPTION_FLOWER: &str = "\
['serial',
    ['conv', {'ksize': 3, 'chn': 6, 'stride': 2, 'actions': '#act'}],
    ['custom', {'name': 'flower_inception1', 'args': {'#act': '#act'}}],
    ['custom', {'name': 'flower_resize', 'args': {'#act': '#act'}}],
    ['custom', {'name': 'flower_inception1', 'args': {'#act': '#act'}}],
    ['custom', {'name': 'flower_resize', 'args': {'#act': '#act'}}],
    ['custom', {'name': 'flower_inception2', 'args': {'#act': '#act'}}],
    ['custom', {'name': 'flower_resize', 'args': {'#act': '#act'}}],
    ['custom', {'name': 'flower_inception2', 'args': {'#act': '#act'}}],
    ['avg', {'stride': 6}],
    ['dropout', {'keep_prob': 0.7}]]";

/// Plain-34 made small, for 64 × 64 photos.
const PLAIN_FLOWER: &str = "\
['serial',
    ['conv', {'ksize': 7, 'chn': 16, 'stride': 2, 'actions': '#act'}],
    ['max', {'stride': 2}],
    ['loop', {'repeat': 4}, ['conv', {'ksize': 3, 'chn': 16, 'actions': '#act'}]],
    ['custom', {'name': 'pn', 'args': {'#n': 32, '#cnt1': 3, '#act': '#act'}}],
    ['custom', {'name': 'pn', 'args': {'#n': 64, '#cnt1': 3, '#act': '#act'}}],
    ['avg', {'stride': 4}]]";

/// ResNet-34 made small, for 64 × 64 photos.
const RESIDUAL_FLOWER: &str = "\
['serial',
    ['conv', {'ksize': 7, 'chn': 16, 'stride': 2, 'actions': '#act'}],
    ['max', {'stride': 2}],
    ['custom', {'name': 'rfull', 'args': {'#n': 16, '#cnt': 2, '#act': '#act'}}],
    ['custom', {'name': 'rhalf', 'args': {'#n': 32, '#cnt1': 1, '#act': '#act'}}],
    ['custom', {'name': 'rhalf', 'args': {'#n': 64, '#cnt1': 1, '#act': '#act'}}],
    ['avg', {'stride': 4}]]";

/// ResNet-152 made small, for 64 × 64 photos.
const BOTTLENECK_FLOWER: &str = "\
['serial',
    ['conv', {'ksize': 7, 'chn': 16, 'stride': 2, 'actions': '#act'}],
    ['max', {'ksize': 3, 'stride': 2}],
    ['custom', {'name': 'bfull', 'args': {'#n1': 16, '#n4': 64, '#cnt': 1, '#act': '#act'}}],
    ['custom', {'name': 'bhalf', 'args': {'#n1': 32, '#n4': 128, '#cnt1': 2, '#act': '#act'}}],
    ['custom', {'name': 'bhalf', 'args': {'#n1': 64, '#n4': 256, '#cnt1': 1, '#act': '#act'}}],
    ['avg', {'stride': 4}]]";

/// Inception v3, for 299 × 299 photos.
const INCEPTION_V3: &str = "\
['serial',
    ['custom', {'name': 'v3_preproc', 'args': {'#act': '#act'}}],
    ['custom', {'name': 'v3_inception1', 'args': {'#chn': 32, '#act': '#act'}}],
    ['custom', {'name': 'v3_inception1', 'args': {'#chn': 64, '#act': '#act'}}],
    ['custom', {'name': 'v3_inception1', 'args': {'#chn': 64, '#act': '#act'}}],
    ['custom', {'name': 'v3_resize1', 'args': {'#act': '#act'}}],
    ['custom', {'name': 'v3_inception2', 'args': {'#chn': 128, '#act': '#act'}}],
    ['custom', {'name': 'v3_inception2', 'args': {'#chn': 160, '#act': '#act'}}],
    ['custom', {'name': 'v3_inception2', 'args': {'#chn': 160, '#act': '#act'}}],
    ['custom', {'name': 'v3_inception2', 'args': {'#chn': 192, '#act': '#act'}}],
    ['custom', {'name': 'v3_resize2', 'args': {'#act': '#act'}}],
    ['loop', {'repeat': 2}, ['custom', {'name': 'v3_inception3', 'args': {'#act': '#act'}}]],
    ['avg', {'stride': 8}],
    ['dropout', {'keep_prob': 0.7}]]";

/// VGG-19, for 224 × 224 photos.
const VGG_19: &str = "\
['serial',
    ['custom', {'name': 'p24', 'args': {'#repeat': 2, '#chn': 64, '#act': '#act'}}],
    ['custom', {'name': 'p24', 'args': {'#repeat': 2, '#chn': 128, '#act': '#act'}}],
    ['custom', {'name': 'p24', 'args': {'#repeat': 4, '#chn': 256, '#act': '#act'}}],
    ['custom', {'name': 'p24', 'args': {'#repeat': 4, '#chn': 512, '#act': '#act'}}],
    ['custom', {'name': 'p24', 'args': {'#repeat': 4, '#chn': 512, '#act': '#act'}}],
    ['loop', {'repeat': 2}, ['full', {'width': 4096}]]]";

/// ResNet-34 without its skip connections.
const PLAIN_34: &str = "\
['serial',
    ['conv', {'ksize': 7, 'chn': 64, 'stride': 2, 'actions': '#act'}],
    ['max', {'stride': 2}],
    ['loop', {'repeat': 6}, ['conv', {'ksize': 3, 'chn': 64, 'actions': '#act'}]],
    ['custom', {'name': 'pn', 'args': {'#n': 128, '#cnt1': 7, '#act': '#act'}}],
    ['custom', {'name': 'pn', 'args': {'#n': 256, '#cnt1': 11, '#act': '#act'}}],
    ['custom', {'name': 'pn', 'args': {'#n': 512, '#cnt1': 5, '#act': '#act'}}],
    ['avg', {'stride': 7}]]";

/// ResNet-34.
const RESIDUAL_34: &str = "\
['serial',
    ['conv', {'ksize': 7, 'chn': 64, 'stride': 2, 'actions': '#act'}],
    ['max', {'stride': 2}],
    ['custom', {'name': 'rfull', 'args': {'#n': 64, '#cnt': 3, '#act': '#act'}}],
    ['custom', {'name': 'rhalf', 'args': {'#n': 128, '#cnt1': 3, '#act': '#act'}}],
    ['custom', {'name': 'rhalf', 'args': {'#n': 256, '#cnt1': 5, '#act': '#act'}}],
    ['custom', {'name': 'rhalf', 'args': {'#n': 512, '#cnt1': 2, '#act': '#act'}}],
    ['avg', {'stride': 7}]]";

/// ResNet-152.
const BOTTLENECK_152: &str = "\
['serial',
    ['conv', {'ksize': 7, 'chn': 64, 'stride': 2, 'actions': '#act'}],
    ['max', {'ksize': 3, 'stride': 2}],
    ['custom', {'name': 'bfull', 'args': {'#n1': 64, '#n4': 256, '#cnt': 3, '#act': '#act'}}],
    ['custom', {'name': 'bhalf', 'args': {'#n1': 128, '#n4': 512, '#cnt1': 7, '#act': '#act'}}],
    ['custom', {'name': 'bhalf', 'args': {'#n1': 256, '#n4': 1024, '#cnt1': 35, '#act': '#act'}}],
    ['custom', {'name': 'bhalf', 'args': {'#n1': 512, '#n4': 2048, '#cnt1': 2, '#act': '#act'}}],
    ['avg', {'stride': 7}]]";
