//! The notation from the outside: the report's own listings, slips included, and texts made at random.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

use floret::error::Error;
use floret::network::Network;
use floret::plan::parameters::Parameters;
use floret::plan::{Optimizer, Plan, PlanOptions, Source};
use floret::shape::Shape;
use proptest::prelude::*;

/// The first cell of the report: no slip.
const INCEPTION: &str = "\
    conf_flower_LAB = ['custom', {'name': 'inception_flower', 'args': {'#act': 'LAB'}}] \
    model_flower_LAB = CnnExtModel('model_flower_LAB', fd, conf_flower_LAB, dump_structure=False) \
    model_flower_LAB.exec_all(epoch_count=10, report=2)";

/// The second, with the report that it printed: one bracket too many.
const PLAIN: &str = "\
    \x20CnnExtModel.set_macro('plain_flower', ['serial', ['conv', {'ksize':7, 'stride':2, 'chn':16, \
    'actions': '#act'}], ['max', {'stride':2}], ['loop', {'repeat':4}, ['conv', {'ksize':3, \
    'chn':16, 'actions': '#act'}]], ['custom', {'name': 'pn', 'args': {'#cnt1':3, '#n':32, '#act': \
    '#act'}}], ['custom', {'name': 'pn', 'args': {'#cnt1':3, '#n':64, '#act': '#act'}}], ['avg', \
    {'stride':4}]]]) plain_flower = CnnExtModel('plain_flower', fd, ['custom', {'name': \
    'plain_flower', 'args': {'#act': 'LAB'}}], dump_structure=True) \
    plain_flower.exec_all(epoch_count=10, report=2) Total parameter count: 173637 Model \
    plain_flower train started: Epoch 2: cost=1.375, accuracy=0.380/0.360 (243/243 secs) Epoch 4: \
    cost=1.393, accuracy=0.390/0.260 (241/484 secs) Epoch 6: cost=1.325, accuracy=0.406/0.360 \
    (245/729 secs) Epoch 8: cost=1.311, accuracy=0.415/0.350 (246/975 secs) Epoch 10: cost=1.305, \
    accuracy=0.410/0.440 (243/1218 secs) Model plain_flower train ended in 1218 secs: Model \
    plain_flower test report: accuracy = 0.358, (7 secs) Model plain_flower Visualization ";

/// The third: no closing bracket after the macro, and `#cnt` where `rhalf` asks for `#cnt1`.
const RESIDUAL: &str = "\
    \x20CnnExtModel.set_macro('residual_flower', ['serial', ['conv', {'ksize':7, 'stride':2, 'chn':16, \
    'actions': '#act'}], ['max', {'ksize':3, 'stride':2}], ['custom', {'name': 'rfull', 'args': \
    {'#cnt':2, '#n':16, '#act': '#act'}}], ['custom', {'name': 'rhalf', 'args': {'#cnt':1, '#n':32, \
    '#act': '#act'}}], ['custom', {'name': 'rhalf', 'args': {'#cnt':1, '#n':64, '#act': '#act'}}], \
    ['avg', {'stride':4}]] residual_flower = CnnExtModel('residual_flower', fd, ['custom', {'name': \
    'residual_flower', 'args': {'#act': 'LAB'}}], dump_structure=True) \
    residual_flower.exec_all(epoch_count=10, report=2) ";

/// The fourth: a comma missing, and no closing bracket after the macro.
const BOTTLENECK: &str = "\
    \x20CnnExtModel.set_macro('bottleneck_flower', ['serial', ['conv', {'ksize':7, 'stride':2, \
    'chn':16, 'actions': '#act'}], ['max', {'ksize':3, 'stride':2}], ['custom', {'name': 'bfull', \
    'args': {'#cnt':1, '#n1':16, '#n4': 64, '#act': '#act'}}], ['custom', {'name': 'bhalf', 'args': \
    {'#cnt1':2, '#n1':32, '#n4':128 '#act': '#act'}}], ['custom', {'name': 'bhalf', 'args': \
    {'#cnt1':1, '#n1':64, '#n4':256, '#act': '#act'}}], ['avg', {'stride':4}]] bottleneck_flower = \
    CnnExtModel('bottleneck_flower', fd, ['custom', {'name': 'bottleneck_flower', 'args': {'#act': \
    'LAB'}}], dump_structure=True) bottleneck_flower.exec_all(epoch_count=10, report=2) ";

const PHOTO: Shape = Shape::new(64, 64, 3);

fn parameters(text: &str, input: Shape) -> u64 {
    Network::new(text, input, 5).unwrap().structure.parameters
}

fn message(text: &str) -> String {
    Network::new(text, PHOTO, 5).unwrap_err().to_string()
}

/// The text from the place that an error points to.
fn pointed<'a>(text: &'a str, error: &Error) -> &'a str {
    let Error::Syntax { line, column, .. } = error else { panic!("{error}") };
    let line = text.lines().nth(line - 1).unwrap();
    &line[line.char_indices().nth(column - 1).unwrap().0..]
}

/// Checks where an error points and what it says, and returns the text with the slip mended.
fn mend(text: &str, place: &str, says: &[&str], slip: &str, right: &str) -> String {
    let error = Network::new(text, PHOTO, 5).unwrap_err();
    let at = pointed(text, &error);
    assert!(at.starts_with(place), "{error}, at {at}");
    for part in says {
        assert!(error.to_string().contains(part), "{error}");
    }
    assert!(text.contains(slip), "{slip} is not there");
    text.replacen(slip, right, 1)
}

#[test]
fn report_inception_reads_as_it_stands() {
    let network = Network::new(INCEPTION, Shape::new(96, 96, 3), 5).unwrap();
    assert_eq!(network.structure.parameters, 43_885);
    assert_eq!(network.run.epoch_count, Some(10));
    assert_eq!(network.run.report, Some(2));
    assert_eq!(network.run.model.as_deref(), Some("model_flower_LAB"));
}

#[test]
fn report_plain_has_one_bracket_too_many() {
    let says = ["line 1, column 384", "expected `,` or the `)`", "one `]` too many: remove it"];
    let right = mend(
        PLAIN,
        "]) plain_flower = ",
        &says,
        "['avg', {'stride':4}]]])",
        "['avg', {'stride':4}]])",
    );
    assert_eq!(parameters(&right, PHOTO), 173_637);
}

#[test]
fn report_residual_has_two_slips() {
    let says = ["for the `(` of line 1, column 23", "add the missing `)` before it"];
    let slip = "['avg', {'stride':4}]] residual_flower";
    let right = "['avg', {'stride':4}]]) residual_flower";
    let text = mend(RESIDUAL, "residual_flower = ", &says, slip, right);
    let says = ["`#cnt` unresolved in macro `rhalf`", "did you mean `#cnt1`?"];
    let (slip, right) =
        ("'rhalf', 'args': {'#cnt':1, '#n':32", "'rhalf', 'args': {'#cnt1':1, '#n':32");
    let text = mend(&text, "'#cnt':1, '#n':32", &says, slip, right);
    let (slip, right) =
        ("'rhalf', 'args': {'#cnt':1, '#n':64", "'rhalf', 'args': {'#cnt1':1, '#n':64");
    let text = mend(&text, "'#cnt':1, '#n':64", &says, slip, right);
    assert_eq!(parameters(&text, PHOTO), 173_637);
}

#[test]
fn report_bottleneck_has_two_slips() {
    let says = ["expected `,` or the `}`", "add the missing comma before it"];
    let text = mend(BOTTLENECK, "'#act': '#act'}}], ['custom'", &says, "128 '#act'", "128, '#act'");
    let says = ["add the missing `)` before it"];
    let slip = "['avg', {'stride':4}]] bottleneck_flower";
    let right = "['avg', {'stride':4}]]) bottleneck_flower";
    let text = mend(&text, "bottleneck_flower = ", &says, slip, right);
    assert_eq!(parameters(&text, PHOTO), 189_925);
}

#[test]
fn slips_are_pinned_down() {
    let cases = [
        (
            "['conv', {'ksize': 3, 'chn': 4, 'action's': 'LA'}]",
            "line 1, column 41: expected `:` after the key `action`, found `s`; did you mean `'actions'`?",
        ),
        (
            "['serial',\n  ['cnov', {'ksize': 3, 'chn': 4}]]",
            "line 2, column 4: expected a kind of layer (conv, max, avg, full, dropout, batch_normal, noise, \
             serial, parallel, add, loop, custom), found `cnov`; did you mean `conv`?",
        ),
        (
            "['conv', {'ksize': 3, 'chan': 4}]",
            "line 1, column 23: expected an option of `conv` (ksize, chn, stride, padding, groups, actions, actfunc), \
             found `chan`; did you mean `chn`?",
        ),
        (
            "['conv', {'ksize': 3}]",
            "line 1, column 1: expected the option `chn` of `conv`, found none",
        ),
        (
            "['conv', {'ksize': '3', 'chn': 4}]",
            "line 1, column 20: expected `ksize` as a whole number from 1 to 32768, found `'3'`",
        ),
        (
            "['conv', {'ksize': 3, 'chn': 4, 'actions': 'lab'}]",
            "line 1, column 44: expected `actions` of `L`, `A`, `B` only, found `lab`; write 'LAB'",
        ),
        (
            "['conv', {'ksize': 3, 'chn': 4, 'actions': 'LALB'}]",
            "line 1, column 44: expected exactly one `L` in `actions`, found `LALB`; such as 'LAB'",
        ),
        (
            "['conv', {'ksize': 3, 'chn': 4, 'actfunc': 'rellu'}]",
            "line 1, column 44: expected `actfunc` as one of none, relu, sigmoid, tanh, found `'rellu'`; did you \
             mean `relu`?",
        ),
        (
            "['max', {'stride': 2, 'padding': 'same'}]",
            "line 1, column 34: expected `padding` as one of SAME, VALID, found `'same'`; did you mean `SAME`?",
        ),
        (
            "['conv', {'ksize': 3, 'chn': 4, 'actions': '#act'}]",
            "line 1, column 44: expected a value, found `#act` outside a macro; write the value itself, such \
             as 'LA'",
        ),
        (
            "['rfull', {'#cnt': 2}]",
            "line 1, column 2: expected a kind of layer (conv, max, avg, full, dropout, batch_normal, noise, \
             serial, parallel, add, loop, custom), found `rfull`; call the macro: ['custom', {'name': 'rfull', \
             'args': {…}}]",
        ),
        (
            "['custom', {'name': 'rhlf', 'args': {'#act': 'LA'}}]",
            "line 1, column 21: expected the name of a macro, found `rhlf`; did you mean `rhalf`?",
        ),
        (
            "['custom', {'name': 'rf', 'args': {'#n': 3}}]",
            "line 1, column 21: expected an argument that the call gives, found `#act` unresolved in macro `rf`; \
             add '#act' to its args",
        ),
        (
            "CnnExtModel.set_macro('m',\n  ['avg', {'stride': '#cnt'}])\n\
             ['custom', {'name': 'm', 'args': {'#cnt1': 2}}]",
            "line 2, column 22: expected an argument that the call gives, found `#cnt` unresolved in macro `m`; \
             did you mean `#cnt1`?",
        ),
        (
            "set_macro('m', ['avg'])",
            "line 1, column 24: expected a network, such as ['serial', …], found the end of the text; use the \
             macro: ['custom', {'name': 'm', 'args': {'#act': 'LA'}}]",
        ),
        (
            "['serial', ['max', {'stride': 2}]",
            "line 1, column 34: expected `,` or the `]` for the `[` of line 1, column 1, found the end of the \
             text; add the missing `]`",
        ),
        (
            "['serial', ['max', {'stride': 2]]",
            "line 1, column 32: expected `,` or the `}` for the `{` of line 1, column 20, found `]`; add the \
             missing `}` before it",
        ),
        (
            "['max', {'stride' = 2}]",
            "line 1, column 19: expected `:` after the key `stride`, found `=`; write `:` for `=`",
        ),
        (
            "['max', {stride: 2}]",
            "line 1, column 10: expected a key in quotes, found `stride`; write 'stride'",
        ),
        (
            "['max, {'stride': 2}]",
            "line 1, column 10: expected `,` or the `]` for the `[` of line 1, column 1, found `stride`; add the \
             missing comma before it",
        ),
        (
            "[‘max’, {'stride': 2}]",
            "line 1, column 2: expected a list, string, number, True, False or None, found `‘`; use straight \
             quotes: 'text'",
        ),
        (
            "['add', {'x': treu}, ['max']]",
            "line 1, column 15: expected a value, found `treu`; did you mean `true`?",
        ),
        (
            "['serial', ['avg', {'stride': 200}]]",
            "layer 0.avg: expected at least one output pixel, found input [64, 64, 3] under kernel size \
             [200, 200], stride [200, 200]; see line 1, column 12",
        ),
        (
            "['add', ['conv', {'ksize': 3, 'chn': 4}]]",
            "layer 0.add: expected a summand of 64 × 64 pixels whose channels divide 4, found [64, 64, 3]; see \
             line 1, column 1",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(message(text), expected, "{text}");
    }
}

#[test]
fn json_and_python_read_alike() {
    let python = "# a comment\n['serial', ['conv', {'ksize': (3, 1), 'chn': 4,},], ['add', {'x': True}, \
                  ('avg', {'ksize': 3})], ['dropout', {'keep_prob': .5}],]";
    let json = r#"["serial", ["conv", {"ksize": [3, 1], "chn": 4}], ["add", {"x": true},
                  ["avg", {"ksize": 3}]], ["dropout", {"keep_prob": 5e-1}]]"#;
    let [python, json] = [python, json].map(|text| Network::new(text, PHOTO, 5).unwrap());
    assert_eq!(python.graph, json.graph);
}

#[test]
fn the_page_about_the_notation_keeps_its_word() {
    let page = include_str!("../../docs/notation.md");
    let examples = page.split("```python\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let totals: Vec<u64> = examples.map(|text| parameters(text, PHOTO)).collect();
    assert_eq!(totals.len(), 3);
}

#[test]
fn limits_refuse_hostile_texts() {
    let deep = "[".repeat(100_000);
    assert!(message(&deep).contains("brackets at most 64 deep"));
    let deep_calls = "a(".repeat(50_000);
    assert!(message(&deep_calls).contains("brackets at most 64 deep"));
    assert!(message(&" ".repeat(1 << 19)).contains("at most 256 kB"));
    let bomb: String = (1..40)
        .map(|n| {
            let call = format!("['custom', {{'name': 'm{}'}}]", n - 1);
            format!("set_macro('m{n}', ['serial', {call}, {call}])\n")
        })
        .collect();
    let bomb = format!("set_macro('m0', ['max'])\n{bomb}['custom', {{'name': 'm39'}}]");
    assert!(message(&bomb).contains("at most"), "{}", message(&bomb));
    let grows: String = (1..40)
        .map(|n| {
            let arguments = "{'#x': ['serial', '#x', '#x']}";
            let previous = n - 1;
            format!(
                "set_macro('m{n}', ['custom', {{'name': 'm{previous}', 'args': {arguments}}}])\n"
            )
        })
        .collect();
    let grows = format!(
        "set_macro('m0', '#x')\n{grows}['custom', {{'name': 'm39', 'args': {{'#x': ['max']}}}}]"
    );
    assert!(message(&grows).contains("at most"), "{}", message(&grows));
    let circle = "set_macro('a', ['custom', {'name': 'b'}])\nset_macro('b', ['custom', {'name': 'a'}])\n\
                  ['custom', {'name': 'a'}]";
    assert!(message(circle).contains("a → b → a"), "{}", message(circle));
    let loops = "['loop', {'repeat': 30000}, ['loop', {'repeat': 30000}, ['max']]]";
    assert!(message(loops).contains("at most 10000 layers"));
    let wide = "['serial', ['conv', {'ksize': 32768, 'chn': 32768}]]";
    assert!(message(wide).contains("at most 2²⁸ parameters"));
}

/// Kinds, options and values that now and then fit together.
fn nested_list() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "'conv'",
        "'max'",
        "'avg'",
        "'full'",
        "'dropout'",
        "'batch_normal'",
        "'noise'",
        "'serial'",
        "'parallel'",
        "'add'",
        "'loop'",
        "'custom'",
        "'LAB'",
        "'#act'",
        "'##act'",
        "'rf'",
        "'pn'",
        "0",
        "1",
        "2",
        "3",
        "-1",
        "0.5",
        "1e400",
        "99999999999999999999",
        "True",
        "None",
        "{'ksize': 3, 'chn': 4}",
        "{'stride': 2}",
        "{'x': False}",
        "{'repeat': 2}",
        "{'width': 7}",
        "{'name': 'rf', 'args': {'#n': 3, '#act': 'LA'}}",
    ]);
    word.prop_map(str::to_owned).prop_recursive(6, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6)
                .prop_map(|items| format!("[{}]", items.join(", "))),
            prop::collection::vec(
                (prop::sample::select(vec!["'ksize'", "'#n'", "'x'", "'args'"]), inner),
                0..3
            )
            .prop_map(|entries| {
                let entries: Vec<String> =
                    entries.into_iter().map(|(key, value)| format!("{key}: {value}")).collect();
                format!("{{{}}}", entries.join(", "))
            }),
        ]
    })
}

/// A layer that reads well, with sizes that may not fit.
fn layer() -> impl Strategy<Value = String> {
    let size = prop::sample::select(vec!["1", "2", "3", "7", "[1, 7]", "[7, 1]", "9999"]);
    let leaf = (size.clone(), size, 0..6usize, prop::sample::select(vec!["LA", "LAB", "BAL", "L", "ABLBA"])).prop_map(
        |(ksize, stride, kind, actions)| match kind {
            0 | 1 => format!("['conv', {{'ksize': {ksize}, 'stride': {stride}, 'chn': 4, 'actions': '{actions}'}}]"),
            2 => format!("['max', {{'ksize': {ksize}, 'stride': {stride}, 'padding': 'VALID'}}]"),
            3 => format!("['avg', {{'ksize': {ksize}, 'stride': {stride}}}]"),
            4 => format!("['full', {{'width': {}, 'actions': '{actions}'}}]", ksize.len()),
            _ => "['noise']".to_owned(),
        },
    );
    leaf.prop_recursive(4, 24, 4, |inner| {
        (0..5usize, prop::collection::vec(inner, 1..4)).prop_map(|(kind, children)| {
            let children = children.join(", ");
            match kind {
                0 => format!("['serial', {children}]"),
                1 => format!("['parallel', {children}]"),
                2 => format!("['add', {{'x': False, 'actions': 'BA'}}, {children}]"),
                3 => format!("['add', {{'actions': 'ABA'}}, {children}]"),
                _ => format!("['loop', {{'repeat': 2}}, ['serial', {children}]]"),
            }
        })
    })
}

proptest! {
    #[test]
    fn random_text_is_refused_or_read(text in ".{0,200}") {
        let _ = Network::new(&text, PHOTO, 5);
    }

    #[test]
    fn random_brackets_are_refused_or_read(text in r#"[\[\](){}'",:=#. \nCabLAB019\\-]{0,120}"#) {
        let _ = Network::new(&text, PHOTO, 5);
    }

    #[test]
    fn listings_with_a_part_missing_are_refused_or_read(start in 0..1053usize, count in 1..40usize) {
        let cut: String = PLAIN.chars().enumerate().filter(|(n, _)| !(start..start + count).contains(n)).map(|(_, c)| c).collect();
        let _ = Network::new(&cut, PHOTO, 5);
    }

    #[test]
    fn random_nested_lists_are_refused_or_read(text in nested_list()) {
        let _ = Network::new(&text, PHOTO, 5);
    }

    #[test]
    fn random_layers_have_unique_names_and_consistent_shapes(text in layer()) {
        if let Ok(network) = Network::new(&text, Shape::new(16, 16, 4), 5) {
            let names: std::collections::HashSet<&str> =
                network.graph.nodes.iter().map(|node| node.name.as_str()).collect();
            prop_assert_eq!(names.len(), network.graph.nodes.len());
            prop_assert_eq!(network.classes(), 5);
            for (_, node, operation) in network.graph.operations() {
                let shape = operation.output_shape(&network.graph.input_shapes(node)).unwrap();
                prop_assert_eq!(shape, node.shape);
            }
            let parameters = Parameters::new(&network.graph);
            let training = PlanOptions::training(2, Source::Tensor, Optimizer::ADAM);
            prop_assert!(Plan::new(&network.graph, &parameters, &training).is_ok());
            let evaluation = PlanOptions::evaluation(2, Source::Tensor);
            prop_assert!(Plan::new(&network.graph, &parameters, &evaluation).is_ok());
        }
    }
}
