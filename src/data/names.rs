//! Names of files and folders as other programs wrote them, as text that is alike wherever it came from.

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

/// A name out of an archive: UTF-8, or else EUC-KR with Microsoft's additions (code page 949), which Korean Windows
/// writes; none if it is neither.
pub fn decoded(bytes: &[u8]) -> Option<String> {
    match std::str::from_utf8(bytes) {
        Ok(name) => Some(name.into()),
        Err(_) => platform::decoded_korean(bytes),
    }
}

/// The browser knows alphabets and normal forms already; their tables need not be downloaded.
#[cfg(target_arch = "wasm32")]
mod platform {
    pub fn composed(name: &str) -> String {
        js_sys::JsString::from(name).normalize("NFC").into()
    }

    pub fn decoded_korean(bytes: &[u8]) -> Option<String> {
        let options = web_sys::TextDecoderOptions::new();
        options.set_fatal(true);
        let decoder = web_sys::TextDecoder::new_with_label_and_options("euc-kr", &options).ok()?;
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

    pub fn decoded_korean(bytes: &[u8]) -> Option<String> {
        let text =
            encoding_rs::EUC_KR.decode_without_bom_handling_and_without_replacement(bytes)?;
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
        assert_eq!(decoded("장미/1.jpg".as_bytes()).as_deref(), Some("장미/1.jpg"));
        assert_eq!(decoded(b"\xc0\xe5\xb9\xcc/1.jpg").as_deref(), Some("장미/1.jpg"));
        assert_eq!(decoded(b"\xff\xff"), None);
        assert_eq!(composed("\u{1103}\u{1166}\u{110b}\u{1175}\u{110c}\u{1175}"), "데이지");
        assert_eq!(composed("rose"), "rose");
    }
}
