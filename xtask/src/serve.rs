//! Serves a folder over HTTP on this machine, with the headers that the page is meant to run under.

use anyhow::{Context, Result, anyhow};
use std::fs::{File, Metadata};
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;
use tiny_http::{Method, Request, Response, Server};

/// The content security policy. The page may load itself, and workers from a blob, as wasm-bindgen-rayon starts threads. The page's own
/// `meta` element says the same for hosts without this header, but for that blob: only the engine's worker, which no `meta`
/// binds, starts threads.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; \
     style-src 'self'; connect-src 'self'; manifest-src 'self'; img-src 'self' blob:";

/// Requests answered at a time: a page with its worker's modules asks for several at once.
const THREADS: usize = 4;

/// A folder being served; the threads that do it end with the program.
pub struct Site {
    /// Address of the page.
    pub url: String,
}

/// Starts to serve `folder` on `port`, where 0 is any free one.
/// `isolated` sends the headers under which a browser allows shared memory, and with it threads.
pub fn start(folder: &Path, port: u16, isolated: bool) -> Result<Site> {
    let server =
        Server::http(("127.0.0.1", port)).map_err(|e| anyhow!("{e}")).with_context(|| {
            format!("cannot listen on port {port}; is something else using it? Try `--port 0`")
        })?;
    let address = server.server_addr().to_ip().context("the server has no port")?;
    let (server, folder): (_, Arc<Path>) = (Arc::new(server), folder.into());
    for _ in 0..THREADS {
        let (server, folder) = (server.clone(), folder.clone());
        std::thread::spawn(move || {
            while let Ok(request) = server.recv() {
                // A browser that hangs up is no concern of ours.
                let _ = answer(request, &folder, isolated);
            }
        });
    }
    Ok(Site { url: format!("http://localhost:{}/", address.port()) })
}

fn answer(request: Request, folder: &Path, isolated: bool) -> std::io::Result<()> {
    if !matches!(request.method(), Method::Get | Method::Head) {
        return request.respond(Response::from_string("only GET and HEAD").with_status_code(405));
    }
    let opened =
        file_for(request.url(), folder).and_then(|path| Some((File::open(&path).ok()?, path)));
    let Some((mut file, path)) = opened else {
        return request.respond(Response::from_string("no such file").with_status_code(404));
    };
    let metadata = file.metadata()?;
    let tag = entity_tag(&metadata);
    let content_type = content_type(&path);
    let mut headers = vec![
        format!("Content-Type: {content_type}"),
        format!("Content-Security-Policy: {CONTENT_SECURITY_POLICY}"),
        "X-Content-Type-Options: nosniff".into(),
        // A page that is being worked on comes from the browser's cache only where this server says that nothing changed.
        "Cache-Control: no-cache".into(),
        format!("ETag: {tag}"),
        // The library's pool can leave a connection waiting behind one that is kept open, so none is.
        "Connection: close".into(),
    ];
    if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("embed.")) {
        // What pages of others load of this one: docs/embed.md.
        headers.push("Access-Control-Allow-Origin: *".into());
        headers.push("Cross-Origin-Resource-Policy: cross-origin".into());
    }
    if isolated {
        headers.push("Cross-Origin-Opener-Policy: same-origin".into());
        headers.push("Cross-Origin-Embedder-Policy: require-corp".into());
    }
    let known = request
        .headers()
        .iter()
        .any(|header| header.field.equiv("If-None-Match") && header.value.as_str() == tag);
    let status = if known { "304 Not Modified" } else { "200 OK" };
    if !known {
        headers.push(format!("Content-Length: {}", metadata.len()));
    }
    let has_body = !known && *request.method() == Method::Get;
    // The library would leave out `Connection`, so the answer is written here.
    let mut writer = request.into_writer();
    write!(writer, "HTTP/1.1 {status}\r\n{}\r\n\r\n", headers.join("\r\n"))?;
    if has_body {
        io::copy(&mut file, &mut writer)?;
    }
    writer.flush()
}

/// The media type of a file. A whole library of types would be compiled before anything is served.
fn content_type(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("txt" | "md") => "text/plain; charset=utf-8",
        Some("json") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        _ => "application/octet-stream",
    }
}

/// The tag that tells one state of a file from another: its length, and when it was written.
fn entity_tag(metadata: &Metadata) -> String {
    let written = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    format!("\"{:x}-{:x}\"", metadata.len(), written.unwrap_or_default().as_nanos())
}

/// The file that a request for `url` means, below `folder` and nowhere else.
fn file_for(url: &str, folder: &Path) -> Option<PathBuf> {
    let path = url.split(['?', '#']).next()?.strip_prefix('/')?;
    let path = percent_decode(path)?;
    let inside = Path::new(&path).components().all(|part| matches!(part, Component::Normal(_)));
    if !inside || path.contains('\\') {
        return None;
    }
    let mut file = folder.join(&path);
    if file.is_dir() {
        file.push("index.html");
    }
    // A link inside the folder may point out of it.
    let (file, folder) = (file.canonicalize().ok()?, folder.canonicalize().ok()?);
    (file.starts_with(&folder) && file.is_file()).then_some(file)
}

fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        if first == b'%' {
            let digits = std::str::from_utf8(after.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &after[2..];
        } else {
            bytes.push(first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Read;
    use std::net::TcpStream;

    /// A folder with a page in it and a secret beside it.
    fn site(name: &str) -> PathBuf {
        let outer =
            std::env::temp_dir().join(format!("floret-serve-{name}-{}", std::process::id()));
        fs::create_dir_all(outer.join("www/a b")).unwrap();
        fs::write(outer.join("secret.txt"), "secret").unwrap();
        fs::write(outer.join("www/index.html"), "<p>").unwrap();
        fs::write(outer.join("www/a b/x.wasm"), "wasm").unwrap();
        outer.join("www")
    }

    fn get(url: &str, path: &str) -> String {
        get_with(url, path, "")
    }

    /// `more` are header lines.
    fn get_with(url: &str, path: &str, more: &str) -> String {
        let address = url.trim_start_matches("http://").trim_end_matches('/');
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n{more}\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn files_are_found_by_their_decoded_names() {
        let folder = site("names");
        assert!(file_for("/", &folder).unwrap().ends_with("index.html"));
        assert!(file_for("/index.html?x=1", &folder).unwrap().ends_with("index.html"));
        assert!(file_for("/a%20b/x.wasm", &folder).unwrap().ends_with("x.wasm"));
        assert_eq!(file_for("/missing.js", &folder), None);
    }

    #[test]
    fn nothing_outside_the_folder_is_served() {
        let folder = site("outside");
        let tries =
            ["/../secret.txt", "/%2e%2e/secret.txt", "//etc/passwd", "/a b/../../secret.txt"];
        for url in tries.into_iter().chain(["/..%5csecret.txt", "/%zz", "/%", "index.html"]) {
            assert_eq!(file_for(url, &folder), None, "{url}");
        }
        #[cfg(unix)]
        {
            let link = folder.join("link.txt");
            let _ = fs::remove_file(&link);
            std::os::unix::fs::symlink(folder.join("../secret.txt"), link).unwrap();
            assert_eq!(file_for("/link.txt", &folder), None);
        }
    }

    #[test]
    fn isolation_is_sent_when_asked_for() {
        let folder = site("headers");
        let isolated = start(&folder, 0, true).unwrap();
        let answer = get(&isolated.url, "/a%20b/x.wasm");
        for line in [
            "200 OK",
            "Content-Type: application/wasm",
            "Cross-Origin-Opener-Policy: same-origin",
            "Cross-Origin-Embedder-Policy: require-corp",
            "Content-Security-Policy: default-src 'none'",
        ] {
            assert!(answer.contains(line), "no `{line}` in {answer}");
        }
        let plain = start(&folder, 0, false).unwrap();
        assert!(!get(&plain.url, "/").contains("Cross-Origin"));
        assert!(get(&plain.url, "/missing").contains("404"));
    }

    #[test]
    fn what_the_browser_has_is_not_sent_until_it_changes() {
        let folder = site("tags");
        let plain = start(&folder, 0, false).unwrap();
        let answer = get(&plain.url, "/");
        let tag = answer.lines().find_map(|line| line.strip_prefix("ETag: ")).unwrap();
        let known = format!("If-None-Match: {tag}\r\n");
        let again = get_with(&plain.url, "/", &known);
        assert!(again.starts_with("HTTP/1.1 304") && !again.contains("<p>"), "{again}");
        fs::write(folder.join("index.html"), "<p>new").unwrap();
        assert!(get_with(&plain.url, "/", &known).ends_with("<p>new"));
    }

    #[test]
    fn pages_of_others_may_load_what_they_embed() {
        let folder = site("embed");
        fs::write(folder.join("embed.js"), "").unwrap();
        let plain = start(&folder, 0, false).unwrap();
        assert!(get(&plain.url, "/embed.js").contains("Access-Control-Allow-Origin: *"));
        assert!(!get(&plain.url, "/").contains("Access-Control"));
    }
}
