//! What the README promises of `cargo run -p hello`.

use faas_sdk_testkit::behaviour::http_call;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, Output, Stdio};

fn hello() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hello"));
    command
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Ends the server also when the test fails.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn the_printed_curl_line_answers() {
    let child = hello()
        .env("FAAS_LOCAL_ADDR", "127.0.0.1:0")
        .spawn()
        .expect("it starts");
    let mut server = Server(child);
    let lines = BufReader::new(server.0.stderr.take().expect("its errors")).lines();
    let curl = lines
        .map(|line| line.expect("text"))
        .find(|line| line.trim_start().starts_with("curl "))
        .expect("a curl line");
    // curl -s <url> -d '<json>'
    let words: Vec<_> = curl.split_whitespace().collect();
    assert_eq!(
        (words[0], words[1], words[3]),
        ("curl", "-s", "-d"),
        "{curl}"
    );
    let url = words[2].strip_prefix("http://").expect("a URL");
    let (address, path) = url.split_once('/').expect("a path");
    let address: SocketAddr = address.parse().expect("an address");
    let data = words[4].trim_matches('\'');
    // What curl sends with -d.
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let path = format!("/{path}");
    let reply = http_call(address, "POST", &path, &headers, data.as_bytes()).await;
    let reply = reply.expect("an answer");
    assert_eq!(
        (reply.status, &*reply.body),
        (200, &br#"{"message":"Hello, text!"}"#[..])
    );
}

fn invoke(arguments: &[&str], stdin: &str) -> Output {
    let mut child = hello().args(arguments).spawn().expect("it starts");
    let mut input = child.stdin.take().expect("its input");
    // One that takes its payload from elsewhere may have ended already.
    let _ = input.write_all(stdin.as_bytes());
    drop(input);
    child.wait_with_output().expect("it ends")
}

#[test]
fn a_call_answers_on_stdout_and_complains_on_stderr() {
    let file = std::env::temp_dir().join(format!("hello-{}.json", std::process::id()));
    std::fs::write(&file, r#"{"name":"file"}"#).expect("a file");
    let at_file = format!("@{}", file.display());
    for (arguments, stdin, code, stdout, stderr) in [
        (
            &["invoke", "hello", r#"{"name":"world"}"#][..],
            "",
            0,
            "{\"message\":\"Hello, world!\"}\n",
            "",
        ),
        (
            &["invoke", r#"{"name":"short"}"#],
            "",
            0,
            "{\"message\":\"Hello, short!\"}\n",
            "",
        ),
        (
            &["invoke", "hello"],
            r#"{"name":"pipe"}"#,
            0,
            "{\"message\":\"Hello, pipe!\"}\n",
            "",
        ),
        (
            &["invoke", "hello", "-"],
            r#"{"name":"dash"}"#,
            0,
            "{\"message\":\"Hello, dash!\"}\n",
            "",
        ),
        (
            &["invoke", "hello", &at_file],
            "",
            0,
            "{\"message\":\"Hello, file!\"}\n",
            "",
        ),
        (&["invoke", "hello", r#"{"name":7}"#], "", 1, "", "`name`"),
        (&["invoke", "hello", "{"], "", 1, "", "not JSON"),
        (&["invoke", "other", "{}"], "", 1, "", "only: hello"),
        (
            &["invoke", "hello", "@/nowhere/at/all"],
            "",
            2,
            "",
            "/nowhere/at/all",
        ),
        (&["invoke"], "", 2, "", "name of a function"),
        (&["serve"], "", 2, "", "`serve`"),
    ] {
        let output = invoke(arguments, stdin);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {errors}");
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            stdout,
            "{arguments:?}"
        );
        assert!(
            errors.contains(stderr) && errors.is_empty() == stderr.is_empty(),
            "{errors}"
        );
    }
    std::fs::remove_file(file).expect("the file");
}

/// Serves one call; gives what came out on standard output.
async fn lines_of(command: &mut Command) -> String {
    let mut server = Server(
        command
            .env("FAAS_LOCAL_ADDR", "127.0.0.1:0")
            .spawn()
            .expect("it starts"),
    );
    // At a terminal both outputs come as one.
    let mut out = BufReader::new(server.0.stdout.take().expect("its output"));
    let mut errors = BufReader::new(server.0.stderr.take().expect("its errors"));
    let mut seen = String::new();
    let listing: &mut dyn BufRead = if command.get_program() == "script" {
        &mut out
    } else {
        &mut errors
    };
    while !seen.contains("curl ") {
        assert!(listing.read_line(&mut seen).expect("text") > 0, "{seen}");
    }
    let address = seen.split("http://").nth(1).expect("an address");
    let address = address.split([',', '/']).next().expect("an address");
    let address: SocketAddr = address.parse().expect("an address");
    let reply = http_call(address, "POST", "/hello", &[], br#"{"name":"w"}"#).await;
    assert_eq!(reply.expect("an answer").status, 200);
    let mut line = String::new();
    while !line.contains("invoke end") {
        line.clear();
        assert!(out.read_line(&mut line).expect("text") > 0);
    }
    line
}

#[tokio::test]
async fn a_pipe_gets_json_and_a_terminal_text_in_colours() {
    let line = lines_of(&mut hello()).await;
    assert!(line.starts_with("{\"timestamp\":\""), "{line}");
    assert!(line.contains("\"event\":\"invoke.end\""), "{line}");

    let mut terminal = Command::new("script");
    terminal
        .args(["-qfec", env!("CARGO_BIN_EXE_hello"), "/dev/null"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let line = lines_of(&mut terminal).await;
    assert!(line.contains("INFO") && line.contains("\u{1b}["), "{line}");
    assert!(!line.contains("{\""), "{line}");

    let line = lines_of(terminal.env("NO_COLOR", "1")).await;
    assert!(line.contains("INFO") && !line.contains("\u{1b}["), "{line}");
}
