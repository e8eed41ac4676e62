//! Names of files and folders as other programs wrote them, as text that is alike wherever it came from.

mod alphabet;
mod code_pages;

pub use alphabet::Alphabet;

/// A name in Unicode's composed form (NFC). macOS takes names apart (NFD), so that 장미 from a Mac and 장미 from
/// elsewhere would be two classes.
///
/// ```
/// use floret::data::names::composed;
/// assert_eq!(composed("\u{110c}\u{1161}\u{11bc}\u{1106}\u{1175}"), "장미");
/// ```
pub fn composed(name: &str) -> String {
    if name.is_ascii() { name.into() } else { platform::composed(name) }
}

/// Names out of an archive, all of them: each is UTF-8, or else in the alphabet that fits them all best.
pub fn decoded(names: &[&[u8]]) -> Vec<String> {
    let mut alphabet = None;
    names.iter().map(|name| decoded_by(&mut alphabet, name, names)).collect()
}

/// One name of an archive whose other names are not known yet; the alphabet of the first that is no UTF-8 stays.
pub fn decoded_next(alphabet: &mut Option<Alphabet>, name: &[u8]) -> String {
    decoded_by(alphabet, name, &[name])
}

fn decoded_by(alphabet: &mut Option<Alphabet>, name: &[u8], names: &[&[u8]]) -> String {
    if let Ok(name) = std::str::from_utf8(name) {
        return name.into();
    }
    let alphabet = *alphabet.get_or_insert_with(|| Alphabet::of(names));
    alphabet.decode(name).unwrap_or_else(|| String::from_utf8_lossy(name).into_owned())
}

/// The browser knows alphabets and normal forms already; their tables need not be downloaded.
#[cfg(target_arch = "wasm32")]
mod platform {
    pub fn composed(name: &str) -> String {
        js_sys::JsString::from(name).normalize("NFC").into()
    }

    pub fn decoded(bytes: &[u8], label: &str) -> Option<String> {
        let options = web_sys::TextDecoderOptions::new();
        options.set_fatal(true);
        let decoder = web_sys::TextDecoder::new_with_label_and_options(label, &options).ok()?;
        // A copy, since a decoder refuses memory that threads share.
        decoder.decode_with_buffer_source(&js_sys::Uint8Array::from(bytes)).ok()
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod platform {
    use unicode_normalization::UnicodeNormalization;

    pub fn composed(name: &str) -> String {
        name.nfc().collect()
    }

    pub fn decoded(bytes: &[u8], label: &str) -> Option<String> {
        let encoding = encoding_rs::Encoding::for_label(label.as_bytes())?;
        let text = encoding.decode_without_bom_handling_and_without_replacement(bytes)?;
        Some(text.into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn korean_names_of_every_kind_of_computer() {
        assert_eq!(decoded(&["장미/1.jpg".as_bytes()]), ["장미/1.jpg"]);
        assert_eq!(
            decoded(&[b"\xc0\xe5\xb9\xcc/1.jpg", "장미".as_bytes()]),
            ["장미/1.jpg", "장미"]
        );
        assert_eq!(decoded_next(&mut None, b"\xc0\xe5\xb9\xcc/1.jpg"), "장미/1.jpg");
        assert_eq!(composed("\u{1103}\u{1166}\u{110b}\u{1175}\u{110c}\u{1175}"), "데이지");
        assert_eq!(composed("rose"), "rose");
    }
}
