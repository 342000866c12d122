//! Configuration from a file.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// A directory of its own for one test, removed at its end.
struct Dir(PathBuf);

impl Dir {
    fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("faas-config-{}-{next}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn with(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        fs::write(self.0.join(name), content).unwrap();
        self
    }

    fn here(&self) -> Environment {
        Environment::default().with_working_dir(&self.0)
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn load_toml(content: impl AsRef<[u8]>) -> Result<Config, ConfigError> {
    let dir = Dir::new().with("faas.toml", content);
    Config::load(&dir.here())
}

fn refusal(content: impl AsRef<[u8]>) -> String {
    load_toml(content).expect_err("refused").to_string()
}

#[test]
fn defaults_then_file_then_environment() {
    let dir = Dir::new().with(
        "faas.toml",
        "[invoke]\nreserve_ms = 200\nend_ms = 300\n[app]\na = 1\nb = 2\n[app.t]\nx = 1\ny = [1]",
    );
    let environment = dir
        .here()
        .with_variable("FAAS_INVOKE__END_MS", "400")
        .with_variable("FAAS_APP__B", "3")
        .with_variable("FAAS_APP__T__X", "4");
    let config = Config::load(&environment).unwrap();
    let invoke = config.invoke();
    assert_eq!(
        (invoke.reserve_ms, invoke.end_ms, invoke.drain_ms),
        (200, 400, 8_000)
    );
    let value = |path| config.app_value::<u8>(path).unwrap();
    assert_eq!(
        [value("a"), value("b"), value("t.x")],
        [Some(1), Some(3), Some(4)]
    );
    assert_eq!(config.app_value("t.y").unwrap(), Some(vec![1]));
    assert_eq!(config.source(), Some(dir.0.join("faas.toml").as_path()));
    assert!(format!("{config:?}").contains(
        r#"app: {"a": [redacted], "b": [redacted], "t": {"x": [redacted], "y": [redacted]}}"#
    ));
}

#[test]
fn a_variable_replaces_a_value_of_any_shape() {
    let dir = Dir::new().with("faas.toml", "[app]\na = [1, 2]\nb = 5\n[app.t]\nx = 1");
    let environment = dir
        .here()
        .with_variable("FAAS_APP__A", "7")
        .with_variable("FAAS_APP__B__C", "8")
        .with_variable("FAAS_APP__T", r#"{"y": 9}"#);
    let config = Config::load(&environment).unwrap();
    assert_eq!(config.app_value("a").unwrap(), Some(7));
    assert_eq!(config.app_value("b.c").unwrap(), Some(8));
    assert_eq!(
        config.app_value("t").unwrap(),
        Some(HashMap::from([("y".to_owned(), 9)]))
    );
}

#[test]
fn the_first_file_found_is_the_only_one() {
    let (named, beside, working) = (Dir::new(), Dir::new(), Dir::new());
    let named = named.with("n.toml", "[app]\nwho = 'named'");
    let beside = beside.with("faas.toml", "[app]\nwho = 'beside'\n[invoke]\nend_ms = 1");
    let working = working.with("faas.toml", "[app]\nwho = 'working'\nonly = 1");
    let who = |environment: &Environment| {
        let config = Config::load(environment).unwrap();
        config.app_value::<String>("who").unwrap().unwrap()
    };
    let environment = working.here();
    assert_eq!(who(&environment), "working");
    let environment = environment.with_exe_dir(&beside.0);
    assert_eq!(who(&environment), "beside");
    assert_eq!(
        Config::load(&environment)
            .unwrap()
            .app_value::<u8>("only")
            .unwrap(),
        None
    );
    let environment = environment.with_variable("FAAS_CONFIG", named.0.join("n.toml"));
    assert_eq!(who(&environment), "named");
    assert_eq!(Config::load(&environment).unwrap().invoke().end_ms, 1_000);
    let relative = named.here().with_variable("FAAS_CONFIG", "n.toml");
    assert_eq!(who(&relative), "named");
}

#[test]
fn a_named_file_must_be_readable() {
    let dir = Dir::new().with("faas.toml", "");
    for (name, shown) in [
        ("missing.toml", "missing.toml"),
        ("", ""),
        ("/missing/x.toml", "/missing/x.toml"),
        ("faas.toml/x", "faas.toml/x"),
    ] {
        let error = Config::load(&dir.here().with_variable("FAAS_CONFIG", name)).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "`FAAS_CONFIG` names `{shown}`, which cannot be read; correct the path or unset it"
            )
        );
        assert!(error.source().is_some());
    }
}

#[test]
fn a_found_file_that_is_none_is_refused() {
    let dir = Dir::new();
    fs::create_dir(dir.0.join("faas.toml")).unwrap();
    let error = Config::load(&dir.here()).unwrap_err();
    assert_eq!(error.to_string(), "cannot read faas.toml");
    assert_eq!(error.source().unwrap().to_string(), "not a regular file");
}

#[test]
fn unknown_names_in_a_file() {
    assert_eq!(
        refusal("[invoke]\nreserv_ms = 1"),
        "unknown key `invoke.reserv_ms` in faas.toml; did you mean `reserve_ms`?"
    );
    assert_eq!(
        refusal("[invok]"),
        "unknown section `invok` in faas.toml; did you mean `invoke`?"
    );
    assert_eq!(
        refusal("[ap.x]"),
        "unknown section `ap` in faas.toml; did you mean `app`?"
    );
    assert_eq!(
        refusal("[db]\nurl = 'x'"),
        "section `db` needs the feature `db-sqlite` or `db-postgres` or `db-mysql`; the section is in faas.toml"
    );
    assert_eq!(
        refusal("invoke = 5"),
        "`invoke` in faas.toml is a section: write `[invoke]` and its keys below"
    );
    assert_eq!(
        refusal("[[app]]\nx = 1"),
        "`app` in faas.toml is a section: write `[app]` and its keys below"
    );
    assert!(load_toml("[app]\nreserv_ms = 1\n[app.cache]\nx = 1").is_ok());
}

#[test]
fn a_file_is_typed_strictly() {
    assert_eq!(
        refusal("[invoke]\nreserve_ms = '1'"),
        "`invoke.reserve_ms` in faas.toml: expected u64"
    );
    let config = load_toml("[app]\nport = '80'\nok = 80\nfar = 1979-05-27T07:32:00Z\nbig = 0xffffffffffffffff\nratio = 1\nno = nan").unwrap();
    let error = config.app::<Port>().unwrap_err();
    assert_eq!(error.to_string(), "`app.port` in faas.toml: expected u16");
    assert_eq!(config.app_value("ok").unwrap(), Some(80_u16));
    assert_eq!(
        config.app_value("far").unwrap(),
        Some("1979-05-27T07:32:00Z".to_owned())
    );
    assert_eq!(config.app_value("big").unwrap(), Some(u64::MAX));
    assert_eq!(config.app_value("ratio").unwrap(), Some(1.0_f64));
    assert!(config.app_value::<f64>("no").unwrap().unwrap().is_nan());
}

#[test]
fn lists_in_variables_may_be_toml() {
    let config = load(&[
        ("FAAS_APP__LIST", "['a', 'b',]"),
        ("FAAS_APP__T", "{ port = 80 }"),
    ])
    .unwrap();
    assert_eq!(
        config.app_value("list").unwrap(),
        Some(vec!["a".to_owned(), "b".to_owned()])
    );
    assert_eq!(config.app_value("t").unwrap(), Some(Port { port: 80 }));
}

#[test]
fn a_missing_key_in_a_file() {
    let config = load_toml("[app.db_main]").unwrap();
    let error = config.app::<HashMap<String, Port>>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "`app.db_main.port` is missing; set it in the configuration file or as `FAAS_APP__DB_MAIN__PORT`"
    );
    let config = load_toml("[app.Db]").unwrap();
    let error = config.app::<HashMap<String, Port>>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "`app.Db.port` is missing; set it in the configuration file"
    );
}

#[test]
fn empty_files_are_fine() {
    for content in ["", "\n# nothing\n", "\u{feff}", "\u{feff}[app]\r\n"] {
        assert_eq!(
            load_toml(content).unwrap().invoke(),
            &InvokeConfig::default()
        );
    }
}

#[test]
fn bad_toml_names_the_place_and_no_content() {
    for (content, place) in [
        ("[app]\nkey = \"hunter2", "faas.toml, line 2, column "),
        ("[app]\nkey = hunter2", "faas.toml, line 2, column 7"),
        ("[app]\nhunter2", "faas.toml, line 2, column "),
        (
            "[app]\nk = 'hunter2' 'hunter2'",
            "faas.toml, line 2, column ",
        ),
        (
            "[app]\nk = 'hunter2'\nk = 'hunter2'",
            "faas.toml, line 3, column 1",
        ),
        (
            "[app]\na = 1\n\"é\" = 12hunter2",
            "faas.toml, line 3, column 9",
        ),
        (
            "[app]\nk = 99999999999999999999",
            "faas.toml, line 2, column 5",
        ),
        ("[app]\nk = 1e999", "faas.toml, line 2, column 5"),
        ("[app]\nk = 2026-13-45", "faas.toml, line 2, column 5"),
    ] {
        let error = load_toml(content).unwrap_err();
        assert!(error.to_string().starts_with(place), "{error}");
        assert!(
            !format!("{error} {error:?}").contains("hunter2"),
            "{error:?}"
        );
        assert!(error.source().is_none());
    }
    assert_eq!(
        refusal(b"[app]\nk = '\xff'"),
        "faas.toml, line 2, column 6: not UTF-8 text"
    );
}

#[test]
fn the_size_of_a_file_is_bounded() {
    let limit = 1024 * 1024;
    assert!(load_toml("#".repeat(limit)).is_ok());
    assert_eq!(
        refusal("#".repeat(limit + 1)),
        "faas.toml is larger than 1048576 bytes, the limit of a configuration file"
    );
}

#[test]
fn a_file_full_of_dots_and_brackets_is_read() {
    let hosts = vec!["a.b.c".to_owned(); 2_000];
    let config = load_toml(format!("[app]\nhosts = {hosts:?}")).unwrap();
    assert_eq!(config.app_value("hosts").unwrap(), Some(hosts.clone()));
    assert!(
        refusal(format!("[app]\nhosts = {hosts:?} x")).starts_with("faas.toml, line 2, column ")
    );
}

#[test]
fn nesting_is_bounded() {
    let list = |depth: usize| format!("[app]\nx = {}{}", "[".repeat(depth), "]".repeat(depth));
    let keys = |depth: usize| format!("[app]\nx{} = 1", ".x".repeat(depth));
    let mixed = format!(
        "[app]\nx = {}1{}",
        "{ a.b.c.d.e.f.g.h.i.j.k.l = ".repeat(70),
        "}".repeat(70)
    );
    for content in [list(50), keys(50)] {
        let config = load_toml(content).unwrap();
        assert!(config.app::<serde_json::Value>().is_ok());
        assert!(format!("{config:?}").contains("[redacted]"));
    }
    let widest = format!(
        "{}1{}",
        format!("{{ {}a = ", "a.".repeat(75)).repeat(75),
        "}".repeat(75)
    );
    let widest = format!("[app]\nx = {widest}");
    assert!(refusal(format!("{widest} broken")).starts_with("faas.toml, line 2"));
    let text = widest.split_once("x = ").unwrap().1;
    let config = load(&[("FAAS_APP__X", text)]).unwrap();
    assert!(config.app_value::<HashMap<String, u8>>("x").is_err());
    for content in [
        widest,
        list(70),
        keys(70),
        list(100_000),
        keys(100_000),
        mixed,
    ] {
        let error = refusal(content);
        assert!(error.starts_with("faas.toml"), "{error}");
        assert!(error.contains("deep") || error.contains("recur"), "{error}");
    }
    let deep = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    let config = load(&[("FAAS_APP__X", &deep(50)), ("FAAS_APP__Y", &deep(100_000))]).unwrap();
    assert!(config.app_value::<Vec<serde_json::Value>>("x").is_ok());
    assert!(config.app_value::<Vec<serde_json::Value>>("y").is_err());
}

proptest! {
    #[test]
    fn secrets_from_a_file_never_show(secret in "[A-Za-z0-9 _\"'=é\\[{]{14,30}z") {
        let quoted = serde_json::to_string(&secret).unwrap();
        let content = format!("[app]\nx = {quoted}\nlist = [{quoted}, {quoted}]\n[app.table]\nx = {quoted}");
        let shown = every_message(&load_toml(content).unwrap());
        for form in [secret.clone(), secret.escape_debug().to_string()] {
            prop_assert!(!shown.contains(&form), "{}", shown);
        }
    }

    #[test]
    fn secrets_in_broken_files_never_show(secret in "[A-Za-z0-9]{14,30}", before in "[a-z=\"'\\[{ .\n]{0,6}", after in "[a-z=\"'\\]} .\n]{0,6}") {
        if let Err(error) = load_toml(format!("[app]\nk = {before}{secret}{after}")) {
            let shown = format!("{error} {error:?} {:?}", error.source());
            prop_assert!(!shown.contains(&secret), "{}", shown);
        }
    }

    #[test]
    fn no_file_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = load_toml(bytes);
    }
}
