//! The errors' phrases in English, for the terminal. The page has the same keys in its catalogues, `www/i18n/errors`.

/// Key and phrase; `{name}` stands for a value.
const PHRASES: [(&str, &str); 260] = [
    // Values and units.
    ("words.value", "{value}"),
    ("words.code", "`{code}`"),
    ("words.bytes", "{n} bytes"),
    ("words.kb", "{n} kB"),
    ("place.line_column", "line {line}, column {column}"),
    ("place.photo", "photo {name}"),
    ("place.resize", "resize"),
    ("place.stored_photo", "stored photo"),
    ("what.class", "class"),
    ("what.device", "device"),
    ("what.drawn_flower", "drawn flower"),
    ("what.drawn_picture", "drawn picture"),
    ("what.initialisation", "initialisation"),
    ("what.model", "model"),
    ("what.photo", "photo"),
    ("what.recipe", "recipe"),
    ("what.split", "split"),
    ("name.augmentation", "augmentation {name}"),
    ("name.batch_size", "batch size"),
    ("name.class", "class"),
    ("name.class_name", "name of a class"),
    ("name.classes", "classes"),
    ("name.drawn_size", "size of a drawn picture"),
    ("name.epochs", "epochs"),
    ("name.held_back", "validation and test percent"),
    ("name.input", "input"),
    ("name.input_of", "input of {model}"),
    ("name.kept_node", "kept node"),
    ("name.label_smoothing", "label smoothing"),
    ("name.learning_rate", "learning rate"),
    ("name.looks", "looks"),
    ("name.network_text", "network text"),
    ("name.passes", "passes"),
    ("name.patience", "patience"),
    ("name.photo_id", "photo id"),
    ("name.steps", "steps"),
    ("name.stored_size", "stored photo size"),
    ("name.weight_average", "weight average"),
    ("name.weight_decay", "weight decay"),
    // What was expected.
    ("expected.range", "{low} to {high}"),
    ("expected.at_least", "at least {least}"),
    ("expected.multiple", "a multiple of {of}"),
    ("expected.pixels", "{low} to {high} pixels"),
    ("expected.class_number", "a class from 0 to {high}"),
    ("expected.node", "a node from 0 to {high}"),
    ("expected.sides", "height, width and channels from 1 to {high}"),
    ("expected.square_input", "a square with 3 channels, for photos"),
    ("expected.looks", "1 to 8 numbers from 0.1 to 1"),
    ("expected.characters", "1 to {high} characters"),
    ("expected.held_back", "at most 50 together"),
    ("expected.hex_digits", "32 hexadecimal digits"),
    ("expected.at_most_kb", "at most {n} kB"),
    ("expected.rgba", "{height} × {width} pixels of 4 bytes, at least one"),
    ("expected.stored_bytes", "[{size}, {size}, 4], {n} bytes"),
    ("expected.summand", "a summand of {height} × {width} pixels whose channels divide {channels}"),
    ("expected.summands", "at least one summand"),
    ("expected.branches", "branches of {height} × {width} pixels, as the first one"),
    ("expected.keep_prob", "keep_prob above 0 and at most 1"),
    ("expected.width", "a width of at least 1"),
    ("expected.noise", "a finite mean, std of at least 0 and ratio from 0 to 1"),
    ("expected.window", "kernel size, stride and channels of at least 1"),
    ("expected.output_pixel", "at least one output pixel"),
    ("expected.groups", "groups that divide the channels of input and output"),
    ("expected.output_numbers", "an output of at most 2²⁸ numbers"),
    ("expected.parameters", "at most 2²⁸ parameters in a network"),
    ("expected.comma", "a comma"),
    ("expected.comma_or_close", "`,` or the `{close}` for the `{open}` of {place}"),
    ("expected.brackets_deep", "brackets at most {n} deep"),
    ("expected.any_value", "a list, string, number, True, False or None"),
    ("expected.value", "a value"),
    ("expected.number", "a number"),
    ("expected.each_key_once", "each key once"),
    ("expected.quoted_key", "a key in quotes"),
    ("expected.colon_after_key", "`:` after the key `{key}`"),
    ("expected.closed_string", "a string closed by `{quote}`"),
    ("expected.escape", "an escape such as \\n or \\u0041"),
    ("expected.one_network", "one network"),
    ("expected.network", "a network, such as ['serial', …]"),
    ("expected.statement", "a statement"),
    ("expected.list_or_cell", "a nested list such as ['serial', …], or a cell with CnnExtModel"),
    ("expected.after_name", "`=`, `.` or `(` after `{name}`"),
    ("expected.call", "`(` after `{name}`"),
    ("expected.list_or_name", "a nested list or the name of one"),
    ("expected.list_or_name_set", "a list or the name of one set before"),
    ("expected.quoted_macro_name", "a macro's name in quotes"),
    ("expected.macro_name_letters", "a name of letters, digits, `_` and `-`"),
    ("expected.macro_name", "the name of a macro"),
    ("expected.macro_levels", "at most {n} levels after macros"),
    ("expected.macro_values", "at most {n} values after macros"),
    ("expected.argument", "the argument `{name}`"),
    ("expected.given_argument", "an argument that the call gives"),
    ("expected.hash_argument", "an argument that starts with `#`"),
    ("expected.args", "`args` as a dictionary {'#arg': value, …}"),
    ("expected.no_recursion", "macros that do not use themselves"),
    ("expected.layers", "at most {n} layers"),
    ("expected.layers_deep", "layers at most {n} deep, macros counted"),
    ("expected.no_layers_inside", "no layers inside `{kind}`"),
    ("expected.layer_inside", "at least one layer inside `{kind}`"),
    ("expected.one_layer_in_loop", "one layer inside `loop`"),
    ("expected.kind", "a kind of layer ({kinds})"),
    ("expected.quoted_kind", "a kind of layer in quotes"),
    ("expected.layer", "a layer such as ['max', {'stride': 2}]"),
    ("expected.no_options", "no options in `{kind}`"),
    ("expected.option", "an option of `{kind}` ({known})"),
    ("expected.required_option", "the option `{name}` of `{kind}`"),
    ("expected.option_pair", "`{name}` as a number or [height, width]"),
    ("expected.option_number", "a number as `{name}`"),
    ("expected.option_range", "`{name}` from {low} to {high}"),
    ("expected.option_count", "`{name}` as a whole number from {low} to {high}"),
    ("expected.option_flag", "True or False as `{name}`"),
    ("expected.option_choice", "`{name}` as one of {known}"),
    ("expected.option_actions", "`actions` as a string such as 'LA'"),
    ("expected.actions_length", "`actions` of at most 16 letters"),
    ("expected.actions_of", "`actions` of {letters} only"),
    ("expected.one_l", "exactly one `L` in `actions`"),
    // What was found.
    ("found.none", "none"),
    ("found.characters", "{n} characters"),
    ("found.more", "more"),
    ("found.more_with_loops", "more, loops counted"),
    ("found.one_more", "one more"),
    ("found.another", "another"),
    ("found.another_list", "another list"),
    ("found.something_else", "something else"),
    ("found.call", "a call"),
    ("found.arguments", "arguments: {n}"),
    ("found.fewer_than_three", "fewer than three arguments"),
    ("found.end_of_text", "the end of the text"),
    ("found.end_of_line", "the end of the line"),
    ("found.empty_list", "an empty list"),
    ("found.list", "a list of {n}"),
    ("found.dictionary", "a dictionary `{…}`"),
    ("found.key_again", "`{key}` again"),
    ("found.outside_macro", "`{name}` outside a macro"),
    ("found.unresolved", "`{name}` unresolved in macro `{macro}`"),
    ("found.noise", "mean {mean}, std {std}, ratio {ratio}"),
    ("found.window", "kernel size {kernel_size}, stride {stride}, channels: {n}"),
    ("found.input_under_window", "input {input} under kernel size {kernel_size}, stride {stride}"),
    ("found.groups", "{groups} groups, {inputs} input channels, {outputs} output channels"),
    ("found.with_this_layer", "{n} with this layer"),
    // What may help.
    ("hint.did_you_mean", "did you mean `{name}`?"),
    ("hint.see", "see {place}"),
    ("hint.write", "write {code}"),
    ("hint.such_as", "such as {code}"),
    ("hint.remove", "remove `{code}`"),
    ("hint.add_missing", "add the missing `{code}`"),
    ("hint.add_missing_before", "add the missing `{code}` before it"),
    ("hint.add_comma_before", "add the missing comma before it"),
    ("hint.comma_too_many", "one comma too many: remove it"),
    ("hint.one_too_many", "one `{code}` too many: remove it"),
    ("hint.colon_between", "between a key and its value stands `:`"),
    ("hint.colon_for_equals", "write `:` for `=`"),
    ("hint.straight_quotes", "use straight quotes: 'text'"),
    ("hint.string_in_quotes", "a string stands in quotes: {code}"),
    ("hint.put_into_serial", "put both into one ['serial', …]"),
    ("hint.use_macro", "use the macro: ['custom', {'name': '{name}', 'args': {'#act': 'LA'}}]"),
    ("hint.call_macro", "call the macro: ['custom', {'name': '{name}', 'args': {…}}]"),
    ("hint.write_value_itself", "write the value itself, such as 'LA'"),
    ("hint.add_to_args", "add '{name}' to its args"),
    ("hint.add_to_call", "add '{name}' to the args of the call at {place}"),
    // Why a file, a photo, an archive or a device cannot be used.
    ("reason.no_such_file", "there is no such file"),
    ("reason.no_such_folder", "a folder on the way to it is missing"),
    ("reason.is_a_folder", "it is a folder, not a file"),
    ("reason.not_permitted", "reading or writing it is not allowed"),
    ("reason.exists_already", "it is there already"),
    ("reason.disk_full", "the disk is full"),
    ("reason.read_only", "it lies where nothing can be written"),
    ("reason.unreadable", "it cannot be read"),
    ("reason.cut_short", "the file is cut short"),
    ("reason.no_text", "it is no text in UTF-8"),
    ("reason.no_edits", "no list of changes as the page saves it (line {line}, column {column})"),
    ("reason.no_json", "it is no JSON: line {line}, column {column}"),
    (
        "reason.no_recipe",
        "it is no recipe: a setting is unknown, missing or of a wrong kind at line {line}, column {column}",
    ),
    ("reason.empty", "an empty file"),
    ("reason.no_image", "not an image"),
    ("reason.avif", "an AVIF; save it as JPEG or PNG"),
    ("reason.heic", "a HEIC photo; save it as JPEG or PNG"),
    ("reason.unknown_kind", "of a kind that cannot be read; save it as JPEG or PNG"),
    ("reason.too_large", "too large to be read"),
    ("reason.too_many_pixels", "{width} × {height} pixels; at most {millions} million can be read"),
    ("reason.damaged", "damaged or not complete"),
    ("reason.larger_than", "larger than {mib} MiB"),
    ("reason.no_archive", "expected a .zip, .tar or .tar.gz, found something else"),
    ("reason.archive_damaged", "damaged or not complete; make or download it again"),
    (
        "reason.archive_cut_off",
        "damaged or not complete; what came before was read; make or download it again",
    ),
    ("reason.damaged_in_archive", "damaged in the archive"),
    ("reason.locked", "locked with a password; make the archive without one"),
    ("reason.unknown_packing", "packed in a way that cannot be read; use plain zip"),
    ("reason.too_many_entries", "more than {n} entries; split it"),
    ("reason.unpacks_to_more", "it unpacks to more than {mib} MiB; split it"),
    ("reason.sparse", "{name} is stored as a sparse file; make it again as .zip"),
    ("reason.no_file", "a link or device, not a file"),
    ("reason.device_gone", "the system or the browser took it away"),
    // What is wrong, and what to do.
    ("problem.no_run", "there is no run"),
    ("remedy.start_run", "start one"),
    ("problem.no_experiment", "there is no experiment"),
    ("remedy.start_experiment", "start one"),
    ("problem.no_model", "there is no model"),
    ("remedy.train_or_open", "train a network or open a model file"),
    ("problem.no_photo_to_look_at", "there is no photo to look at"),
    ("remedy.add_labelled_photo", "add a labelled photo"),
    ("problem.no_test_photos", "no photo is held back for the test"),
    ("remedy.load_photos", "load photos first"),
    ("problem.no_training_photos", "there are no training photos"),
    ("remedy.add_labelled_photos", "add labelled photos of at least two classes"),
    (
        "problem.classes_and_outputs",
        "{classes} classes of photos, {outputs} outputs of the network",
    ),
    ("remedy.build_for_classes", "build the network for the classes of the photos"),
    ("problem.no_outlier_score", "the model has no score for \"none of these\""),
    ("remedy.calibrate", "give it one with `floret calibrate`"),
    (
        "problem.too_few_to_calibrate",
        "{validation} validation and {training} training photos are too few to calibrate on",
    ),
    (
        "remedy.photos_to_calibrate",
        "take the photos that it was trained with, at least {least} of them for validation",
    ),
    ("problem.no_rows_left", "the network has no layer with rows and columns left"),
    ("problem.norm_behind_maps", "batch normalisation follows the network's last feature maps"),
    (
        "remedy.network_for_heat_map",
        "choose a network that ends in convolutions, one average pooling and the head",
    ),
    ("problem.no_labelled_photos", "no labelled photos in {path}"),
    ("remedy.name_class_folders", "name a folder that holds one folder of photos a class"),
    ("problem.trained_with_none", "the model was trained with none of the photos in {path}"),
    ("problem.none_held_back", "none of these photos was held back when the model was trained"),
    ("remedy.name_training_folder", "name the folder of class folders that it was trained on"),
    ("problem.saved_without_run", "it was saved without the state of its training run"),
    ("remedy.train_anew", "train anew, or resume a file saved without --final-only"),
    ("problem.not_whole", "it is not a whole safetensors file"),
    ("remedy.save_again", "save or download it again"),
    ("problem.not_ours", "it was not written by Floret"),
    ("remedy.open_ours", "open a model that Floret saved"),
    ("problem.version", "it has format version {found}, this program reads {known}"),
    ("problem.preprocessing", "its photos are prepared in a way that this program does not know"),
    ("remedy.newer", "use the Floret that wrote it, or a newer one"),
    ("problem.lacks", "its metadata lacks `{name}`"),
    ("problem.metadata", "its metadata `{name}` cannot be read"),
    ("problem.network", "its network cannot be built"),
    (
        "problem.network_text",
        "its network: line {line}, column {column}: expected {expected}, found {found}",
    ),
    ("problem.network_layer", "its network: layer {layer}: expected {expected}, found {found}"),
    ("problem.network_setting", "its network: {name}: expected {expected}, found {found}"),
    ("remedy.mend_network", "it was edited; mend its text"),
    ("problem.moments", "its moments are not those of its optimizer"),
    ("problem.stands_at", "its run stands at step {step}, epoch {epoch}"),
    ("remedy.earlier_save", "use an earlier save"),
    ("problem.class_name", "its class name `{name}` is empty, too long or there twice"),
    ("remedy.name_each_class", "it was edited; give each class a name of its own"),
    ("problem.tensor_missing", "tensor `{name}` is missing"),
    ("problem.tensor_of_no_layer", "tensor `{name}` belongs to no layer"),
    ("problem.tensor_shape", "tensor `{name}`: expected {expected}, found {found}"),
    ("problem.tensor_holds", "tensor `{name}` holds {value}"),
    ("problem.tensor_would_hold", "tensor `{name}` would hold {value}"),
    ("problem.tensor_or_bias_holds", "tensor `{name}` or its bias holds {value}"),
    ("problem.tensor_without", "tensor `{name}` is there without `{key}`"),
    ("problem.temperature", "its temperature is {value}"),
    ("remedy.calibrate_anew", "calibrate it anew with `floret calibrate`"),
    ("remedy.before_divergence", "go back to a state from before the training diverged"),
    ("remedy.not_together", "its network text and its weights do not belong together"),
    ("problem.no_adapter", "no GPU adapter"),
    ("remedy.processor_everywhere", "the CPU executor runs everywhere"),
    ("problem.software_adapter", "it is a software adapter, far slower than the CPU executor"),
    ("remedy.hardware", "use the CPU executor, or a browser with hardware acceleration"),
    ("problem.device_refused", "the GPU did not start"),
    ("remedy.close_programs", "use the CPU executor, or close other programs that use the GPU"),
    ("problem.device_failed", "the GPU's driver refused a call"),
    ("problem.read_failed", "a read from the GPU failed"),
    ("problem.shader_refused", "the GPU's driver refused a shader"),
    ("remedy.start_again", "start again, on the CPU executor if it happens again"),
];

/// The phrase of a key.
pub(super) fn template(key: &str) -> Option<&'static str> {
    // The page words errors from its own catalogues, so its engine need not carry these.
    if cfg!(all(target_arch = "wasm32", not(test))) {
        return None;
    }
    PHRASES.iter().find(|(known, _)| *known == key).map(|(_, phrase)| *phrase)
}

#[cfg(test)]
#[cfg(feature = "cli")]
mod tests {
    use super::*;
    use crate::error::words::{Part, parts};
    use std::collections::BTreeSet;
    use std::path::Path;

    /// A phrase where a source says it: its key, the values given at once, and those given anywhere in the file.
    struct Said {
        key: String,
        given: BTreeSet<String>,
        in_file: BTreeSet<String>,
    }

    /// What every source says with `Words::of("…")`, or `Self::of("…")` where phrases are made.
    fn said_in_sources() -> Vec<Said> {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let files = walkdir::WalkDir::new(sources).into_iter().map(Result::unwrap);
        let texts = files
            .filter(|file| file.path().extension().is_some_and(|extension| extension == "rs"))
            .map(|file| std::fs::read_to_string(file.path()).unwrap());
        let said = texts.flat_map(|text| {
            let in_file = quoted_after(&text, ".with(").map(|(name, _)| name.to_owned()).collect();
            let is_key = |key: &str| key.bytes().all(|c| matches!(c, b'a'..=b'z' | b'_' | b'.'));
            let calls = quoted_after(&text, "::of(").filter(|(key, _)| is_key(key));
            let said = calls.map(|(key, rest)| Said {
                key: key.to_owned(),
                given: values_of_chain(rest.strip_prefix(')').unwrap()),
                in_file: BTreeSet::clone(&in_file),
            });
            said.collect::<Vec<_>>()
        });
        said.collect()
    }

    /// The strings that stand after `call`, each with the text that follows it.
    fn quoted_after<'a>(
        text: &'a str,
        call: &'static str,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        let starts = text.match_indices(call).map(move |(at, _)| &text[at + call.len()..]);
        starts.filter_map(|rest| rest.trim_start().strip_prefix('"')?.split_once('"'))
    }

    /// The names in the calls `.with("name", …)` that stand right there.
    fn values_of_chain(mut text: &str) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        while let Some(call) = text.trim_start().strip_prefix(".with(") {
            let (name, _) = call.trim_start().strip_prefix('"').unwrap().split_once('"').unwrap();
            names.insert(name.to_owned());
            let mut depth = 1;
            let end = call.find(|c| {
                depth += i32::from(c == '(') - i32::from(c == ')');
                depth == 0
            });
            text = &call[end.unwrap() + 1..];
        }
        names
    }

    fn names_in(phrase: &str) -> BTreeSet<String> {
        let name = |part| if let Part::Value(name) = part { Some(name.to_owned()) } else { None };
        parts(phrase).filter_map(name).collect()
    }

    #[test]
    fn every_key_has_one_phrase_and_every_phrase_is_said() {
        let keys: BTreeSet<String> = said_in_sources().into_iter().map(|said| said.key).collect();
        assert!(keys.len() > 200, "{}", keys.len());
        let known: BTreeSet<String> = PHRASES.iter().map(|(key, _)| (*key).to_owned()).collect();
        assert_eq!(known.len(), PHRASES.len(), "a key stands twice");
        assert_eq!(keys.difference(&known).collect::<Vec<_>>(), Vec::<&String>::new(), "no phrase");
        assert_eq!(known.difference(&keys).collect::<Vec<_>>(), Vec::<&String>::new(), "not said");
    }

    #[test]
    fn every_phrase_is_given_the_values_that_stand_in_it() {
        for Said { key, given, in_file } in said_in_sources() {
            let names = names_in(template(&key).unwrap_or_default());
            let others: Vec<_> = given.difference(&names).collect();
            assert!(others.is_empty(), "`{key}` has no place for {others:?}");
            // A phrase may be given more a few lines below.
            let missing: Vec<_> = names.difference(&in_file).collect();
            assert!(missing.is_empty(), "nobody gives `{key}` {missing:?}");
        }
    }
}
