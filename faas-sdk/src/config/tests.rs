use std::collections::{BTreeMap, HashMap};
use std::error::Error as _;
use std::fmt::Debug;
use std::net::IpAddr;

use proptest::prelude::*;
use serde::Deserialize;

use super::section::{Key, SECTIONS, Section};
use super::*;

fn variables(pairs: &[(&str, &str)]) -> Environment {
    pairs
        .iter()
        .fold(Environment::default(), |environment, (name, value)| {
            environment.with_variable(name, value)
        })
}

fn load(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
    Config::load(&variables(pairs))
}

fn refusal(pairs: &[(&str, &str)]) -> String {
    load(pairs).expect_err("refused").to_string()
}

#[derive(Deserialize, Debug, PartialEq)]
struct Port {
    port: u16,
}

#[test]
fn defaults_without_anything_set() {
    let config = load(&[]).unwrap();
    let invoke = config.invoke();
    assert_eq!(
        (invoke.reserve_ms, invoke.drain_ms, invoke.end_ms),
        (150, 8_000, 1_000)
    );
    assert_eq!(
        (invoke.batch_concurrency.get(), invoke.max_body_bytes),
        (10, None)
    );
    assert_eq!(config.source(), None);
    assert_eq!(format!("{config:?}"), format!("{:?}", Config::default()));
    assert_eq!(
        config.app::<BTreeMap<String, String>>().unwrap(),
        BTreeMap::new()
    );
    assert_eq!(config.app_value::<u16>("port").unwrap(), None);
}

#[test]
fn every_declared_key_of_invoke_is_read() {
    let section = SECTIONS
        .iter()
        .find(|section| section.name == "invoke")
        .unwrap();
    for key in section.keys.unwrap() {
        let name = format!("FAAS_INVOKE__{}", key.name.to_uppercase());
        let config = load(&[(&name, "7")]).unwrap();
        assert_ne!(config.invoke(), &InvokeConfig::default(), "{name}");
    }
}

#[test]
fn invoke_refuses_what_it_cannot_mean() {
    for (key, value, expected) in [
        (
            "RESERVE_MS",
            "soon",
            "`invoke.reserve_ms` set by `FAAS_INVOKE__RESERVE_MS`: expected u64",
        ),
        (
            "DRAIN_MS",
            "-1",
            "`invoke.drain_ms` set by `FAAS_INVOKE__DRAIN_MS`: expected u64",
        ),
        (
            "END_MS",
            "18446744073709551615",
            "`invoke.end_ms` set by `FAAS_INVOKE__END_MS`: expected at most 86400000 milliseconds, a day",
        ),
        (
            "BATCH_CONCURRENCY",
            "0",
            "`invoke.batch_concurrency` set by `FAAS_INVOKE__BATCH_CONCURRENCY`: expected a nonzero usize",
        ),
        (
            "RESERVE_MS__DEEPER",
            "1",
            "`invoke.reserve_ms` set by `FAAS_INVOKE__RESERVE_MS__DEEPER`: expected u64",
        ),
    ] {
        assert_eq!(
            refusal(&[(&format!("FAAS_INVOKE__{key}"), value)]),
            expected
        );
    }
}

#[test]
fn a_variable_is_typed_by_what_reads_it() {
    #[derive(Deserialize, Debug, PartialEq)]
    #[serde(rename_all = "lowercase")]
    enum Mode {
        Fast,
        Slow { by: u8 },
    }
    #[derive(Deserialize, Debug, PartialEq)]
    struct App {
        number: u16,
        text: String,
        flag: bool,
        ratio: f32,
        maybe: Option<i64>,
        absent: Option<i64>,
        address: IpAddr,
        letter: char,
        mode: Mode,
        other: Mode,
        list: Vec<String>,
        pair: (u8, bool),
        by_id: HashMap<u16, String>,
        nested: Port,
    }
    let app: App = load(&[
        ("FAAS_APP__NUMBER", "8080"),
        ("FAAS_APP__TEXT", "8080"),
        ("FAAS_APP__FLAG", "true"),
        ("FAAS_APP__RATIO", "0.5"),
        ("FAAS_APP__MAYBE", "-3"),
        ("FAAS_APP__ADDRESS", "::1"),
        ("FAAS_APP__LETTER", "7"),
        ("FAAS_APP__MODE", "fast"),
        ("FAAS_APP__OTHER", r#"{"slow":{"by":2}}"#),
        ("FAAS_APP__LIST", r#"["8080", "b"]"#),
        ("FAAS_APP__PAIR", "[1, true]"),
        ("FAAS_APP__BY_ID", r#"{"7":"seven"}"#),
        ("FAAS_APP__NESTED__PORT", " 80 "),
    ])
    .unwrap()
    .app()
    .unwrap();
    assert_eq!(
        app,
        App {
            number: 8080,
            text: "8080".into(),
            flag: true,
            ratio: 0.5,
            maybe: Some(-3),
            absent: None,
            address: "::1".parse().unwrap(),
            letter: '7',
            mode: Mode::Fast,
            other: Mode::Slow { by: 2 },
            list: vec!["8080".into(), "b".into()],
            pair: (1, true),
            by_id: HashMap::from([(7, "seven".into())]),
            nested: Port { port: 80 },
        }
    );
}

#[test]
fn types_that_buffer_still_get_numbers_from_variables() {
    #[derive(Deserialize, Debug, PartialEq)]
    #[serde(tag = "kind", rename_all = "lowercase")]
    enum Store {
        Redis { port: u16 },
    }
    #[derive(Deserialize, Debug, PartialEq)]
    #[serde(untagged)]
    enum Either {
        Number(u8),
        Text(String),
    }
    #[derive(Deserialize)]
    struct App {
        #[serde(flatten)]
        port: Port,
        name: String,
    }
    let config = load(&[
        ("FAAS_APP__KIND", "redis"),
        ("FAAS_APP__PORT", "6379"),
        ("FAAS_APP__NAME", "12"),
    ])
    .unwrap();
    assert_eq!(config.app::<Store>().unwrap(), Store::Redis { port: 6379 });
    assert_eq!(
        config.app_value::<Either>("port").unwrap(),
        Some(Either::Text("6379".into()))
    );
    let app: App = config.app().unwrap();
    assert_eq!((app.port.port, app.name.as_str()), (6379, "12"));
}

#[test]
fn app_values_by_path() {
    let config = load(&[
        ("FAAS_APP__A__B", "8080"),
        ("FAAS_APP__LIST", "[1, 2]"),
        ("faas_App__Obj", r#"{"x": {"y": 1}}"#),
    ])
    .unwrap();
    assert_eq!(config.app_value("a.b").unwrap(), Some(8080_u16));
    assert_eq!(config.app_value("a.b").unwrap(), Some("8080".to_owned()));
    assert_eq!(
        config.app_value("a").unwrap(),
        Some(HashMap::from([("b".to_owned(), 8080)]))
    );
    assert_eq!(config.app_value("list").unwrap(), Some(vec![1, 2]));
    assert_eq!(config.app_value("obj.x.y").unwrap(), Some(1));
    for absent in ["", "b", "a.c", "a.b.c", "a..b", "list.0", "obj.x.z"] {
        assert_eq!(config.app_value::<u16>(absent).unwrap(), None, "{absent}");
    }
    let error = config.app_value::<bool>("obj.x.y").unwrap_err();
    assert_eq!(
        error.to_string(),
        "`app.obj.*.*` set by `faas_App__Obj`: expected a boolean"
    );
    let error = config.app_value::<bool>("a.b").unwrap_err();
    assert_eq!(
        error.to_string(),
        "`app.a.b` set by `FAAS_APP__A__B`: expected a boolean"
    );
}

#[test]
fn errors_name_the_path_of_the_key() {
    #[derive(Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    struct Strict {
        #[allow(dead_code)]
        port: u16,
    }
    fn error<T: DeserializeOwned + Debug>(name: &str, value: &str) -> String {
        load(&[(name, value)])
            .unwrap()
            .app::<T>()
            .expect_err("refused")
            .to_string()
    }
    type Nested<T> = HashMap<String, T>;
    const FILE: &str = if cfg!(feature = "config-file") {
        "in the configuration file or "
    } else {
        ""
    };
    assert_eq!(
        error::<Nested<Port>>("FAAS_APP__DB__PORT", "x"),
        "`app.db.port` set by `FAAS_APP__DB__PORT`: expected u16"
    );
    assert_eq!(
        error::<Nested<Port>>("FAAS_APP__DB__HOST", "x"),
        format!("`app.db.port` is missing; set it {FILE}as `FAAS_APP__DB__PORT`")
    );
    assert_eq!(
        error::<Nested<Port>>("FAAS_APP__DB", r#"{"host": 1}"#),
        "`app.db.port` set by `FAAS_APP__DB`: missing"
    );
    assert_eq!(
        error::<Nested<Strict>>("FAAS_APP__DB", r#"{"hunter2": 1}"#),
        "`app.db.*` set by `FAAS_APP__DB`: unknown key; known are `port`"
    );
    assert_eq!(
        error::<Nested<Vec<Port>>>("FAAS_APP__DB", r#"[{"port": 1}, {"port": "2"}]"#),
        "`app.db[1].*` set by `FAAS_APP__DB`: expected u16"
    );
    assert_eq!(
        error::<Nested<Strict>>("FAAS_APP__DB__PROT", "1"),
        "`app.db.prot` set by `FAAS_APP__DB__PROT`: unknown key; did you mean `port`?"
    );
    assert_eq!(
        error::<Nested<Vec<u8>>>("FAAS_APP__LIST", "[1, 256]"),
        "`app.list[1]` set by `FAAS_APP__LIST`: expected u8"
    );
    assert_eq!(
        error::<Nested<Vec<u8>>>("FAAS_APP__LIST", "1, 2"),
        "`app.list` set by `FAAS_APP__LIST`: expected a sequence, written as JSON"
    );
    assert_eq!(
        error::<Nested<(u8, u8)>>("FAAS_APP__LIST", "[1, 2, 3]"),
        "`app.list` set by `FAAS_APP__LIST`: expected 2 items"
    );
    assert_eq!(
        error::<Nested<IpAddr>>("FAAS_APP__ADDRESS", "1.2.3"),
        "`app.address` set by `FAAS_APP__ADDRESS`: expected IP address"
    );
    assert_eq!(
        error::<HashMap<u8, u8>>("FAAS_APP__PORT", "1"),
        "`app.port` set by `FAAS_APP__PORT`: expected u8"
    );
    assert_eq!(
        error::<u8>("FAAS_APP__PORT", "1"),
        "`app` set by `FAAS_APP__PORT`: expected u8"
    );
}

#[test]
fn unknown_names_are_refused_with_the_nearest() {
    assert_eq!(
        refusal(&[("FAAS_INVOKE__RESERV_MS", "1")]),
        "unknown key `invoke.reserv_ms` set by `FAAS_INVOKE__RESERV_MS`; did you mean `reserve_ms`?"
    );
    assert_eq!(
        refusal(&[("FAAS_INVOK__RESERVE_MS", "1")]),
        "unknown section `invok` set by `FAAS_INVOK__RESERVE_MS`; did you mean `invoke`?"
    );
    let nothing_like_it = refusal(&[("FAAS_INVOKE__ZZZ", "1")]);
    assert!(
        nothing_like_it.contains("known are `reserve_ms`, `batch_concurrency`"),
        "{nothing_like_it}"
    );
}

#[test]
fn a_section_without_its_feature_says_which() {
    for (section, features) in [
        #[cfg(not(feature = "cache"))]
        ("cache", "`cache`"),
        #[cfg(not(feature = "cache-redis"))]
        ("redis", "`cache-redis`"),
        ("lock", "`lock`"),
        ("db", "`db-sqlite` or `db-postgres` or `db-mysql`"),
        #[cfg(not(feature = "otlp"))]
        ("otlp", "`otlp`"),
    ] {
        let name = format!("FAAS_{}__URL", section.to_uppercase());
        assert_eq!(
            refusal(&[(&name, "x")]),
            format!(
                "section `{section}` needs the feature {features}; the section is set by `{name}`"
            )
        );
    }
    let log = refusal(&[("FAAS_LOG__LEVEL", "x")]);
    let needs_feature = log.starts_with("section `log` needs the feature `log`");
    assert_eq!(needs_feature, !cfg!(feature = "log"), "{log}");
}

#[test]
fn other_names_are_not_configuration() {
    let config = load(&[
        ("FAAS_PLATFORM", "local"),
        ("FAAS_FUNCTION", "f"),
        ("FAAS_LOCAL_ADDR", "x"),
        ("FAAS_LOG", "debug"),
        ("FAAS_APP", "x"),
        ("FAAS_", ""),
        ("FAAS", ""),
        ("MY_FAAS_X__Y", ""),
        ("PATH__X", ""),
    ]);
    assert!(config.is_ok());
}

#[test]
fn names_that_name_nothing_are_refused() {
    let deep = format!("FAAS_APP{}", "__X".repeat(MAX_DEPTH));
    for name in [
        "FAAS_APP__",
        "FAAS___X",
        "FAAS_APP____X",
        "FAAS_INVOKE__",
        deep.as_str(),
    ] {
        let error = refusal(&[(name, "1")]);
        assert!(
            error.starts_with(&format!("`{name}` does not name a key")),
            "{error}"
        );
    }
    let deepest = format!("FAAS_APP{}", "__X".repeat(MAX_DEPTH - 1));
    assert!(
        load(&[(&deepest, "1")])
            .unwrap()
            .app::<serde_json::Value>()
            .is_ok()
    );
}

#[test]
fn variables_that_contradict_each_other_are_refused() {
    for (first, second) in [
        ("FAAS_APP__PORT", "FAAS_APP__port"),
        ("FAAS_INVOKE__END_MS", "faas_invoke__end_ms"),
        ("FAAS_APP__X", "FAAS_APP__X__Y"),
        ("FAAS_APP__X__Y", "FAAS_APP__X"),
        ("FAAS_APP__X", "FAAS_APP__X__Y__Z"),
        ("FAAS_CONFIG", "FAAS_Config"),
    ] {
        assert_eq!(
            refusal(&[(first, "1"), (second, "1")]),
            format!("`{first}` and `{second}` contradict each other; unset one of them")
        );
    }
    let siblings = load(&[("FAAS_APP__X__Y", "1"), ("FAAS_APP__X__Z", "2")]).unwrap();
    assert_eq!(siblings.app_value("x.z").unwrap(), Some(2));
}

#[test]
fn the_snapshot_of_the_process_has_its_directories() {
    let environment = Environment::from_process();
    let exe = std::env::current_exe().unwrap();
    assert_eq!(environment.exe_dir.as_deref(), exe.parent());
    assert!(environment.working_dir.is_some());
    assert_eq!(
        environment.variable("PATH"),
        std::env::var_os("PATH").as_deref()
    );
}

#[cfg(unix)]
#[test]
fn text_that_is_not_utf8_is_refused_unseen() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let load = |name: &[u8], value: &[u8]| {
        let (name, value) = (OsStr::from_bytes(name), OsStr::from_bytes(value));
        Config::load(&Environment::default().with_variable(name, value))
    };
    for name in ["FAAS_APP__X", "FAAS_CONFIG"] {
        let error = load(name.as_bytes(), b"hunter\xff").unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("`{name}` is not UTF-8 text, in its name or its value")
        );
        assert!(!format!("{error:?}").contains("hunter"));
    }
    assert!(
        load(b"FAAS_APP__\xff", b"x")
            .unwrap_err()
            .to_string()
            .contains("`FAAS_APP__\u{fffd}`")
    );
    assert!(load(b"FAAS_\xff", b"\xff").is_ok());
    assert!(load(b"\xffFAAS_APP__X", b"\xff").is_ok());
}

#[test]
fn declared_secrets_are_redacted() {
    static KEYS: &[Key] = &[
        Key {
            name: "url",
            secret: true,
        },
        Key {
            name: "size",
            secret: false,
        },
    ];
    static STORE: &[Section] = &[Section {
        name: "store",
        features: &[],
        compiled: true,
        keys: Some(KEYS),
    }];
    let environment = variables(&[("FAAS_STORE__URL", "hunter2"), ("FAAS_STORE__SIZE", "99")]);
    let config = Config::load_with(&environment, STORE).unwrap();
    let shown = format!("{config:?}");
    assert!(
        shown.contains(r#"store: {"size": "99", "url": [redacted]}"#),
        "{shown}"
    );
    let error = config.section::<HashMap<String, u8>>("store").unwrap_err();
    assert_eq!(
        error.to_string(),
        "`store.url` set by `FAAS_STORE__URL`: expected u8"
    );
    let nested = variables(&[("FAAS_STORE__URL__PASSWORD", "hunter2")]);
    let config = Config::load_with(&nested, STORE).unwrap();
    assert!(format!("{config:?}").contains(r#"{"url": {"password": [redacted]}}"#));
    assert!(!format!("{environment:?}").contains("hunter2"));
}

/// A type of the user's whose own errors quote the value.
#[derive(Deserialize, Debug)]
#[serde(try_from = "String")]
struct Loud;

impl TryFrom<String> for Loud {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Err(format!("refused {text}, also {text:?}"))
    }
}

#[derive(Deserialize, Debug)]
#[serde(rename_all = "lowercase")]
enum Colour {
    Red,
    Green,
}

/// Reads `app.x` and `app.list` as types that refuse it in all the ways there are.
fn every_message(config: &Config) -> String {
    fn attempt<T: DeserializeOwned + Debug>(config: &Config) -> String {
        #[derive(Deserialize, Debug)]
        struct Strict<T> {
            #[allow(dead_code)]
            x: T,
        }
        #[derive(Deserialize, Debug)]
        struct Flat<T> {
            #[allow(dead_code)]
            #[serde(flatten)]
            inner: Strict<T>,
        }
        let errors = [
            config.app::<Strict<T>>().err(),
            config.app::<Flat<T>>().err(),
            config.app::<HashMap<String, T>>().err(),
            config.app_value::<T>("x").err(),
            config.app_value::<T>("table.x").err(),
            config.app_value::<HashMap<String, T>>("keyed").err(),
            config.app_value::<Vec<T>>("list").err(),
            config.app_value::<(T, T)>("list").err(),
        ];
        errors
            .into_iter()
            .flatten()
            .map(|e| format!("{e} {e:?} {:?}\n", e.source()))
            .collect()
    }
    let attempts = [
        attempt::<u16>(config),
        attempt::<i128>(config),
        attempt::<bool>(config),
        attempt::<f64>(config),
        attempt::<char>(config),
        attempt::<()>(config),
        attempt::<IpAddr>(config),
        attempt::<Colour>(config),
        attempt::<Loud>(config),
        attempt::<Port>(config),
        attempt::<Vec<u8>>(config),
        attempt::<HashMap<u8, u8>>(config),
    ];
    for attempt in &attempts {
        assert!(!attempt.is_empty(), "nothing was refused");
    }
    format!("{config:?} {config:#?} {}", attempts.concat())
}

proptest! {
    #[test]
    fn secrets_from_variables_never_show(secret in "[A-Za-z0-9 _\"'\\\\\n=é\\[{]{14,30}z") {
        let json = serde_json::to_string(&[&secret, &secret]).unwrap();
        let keyed = serde_json::to_string(&HashMap::from([(&secret, &secret)])).unwrap();
        let environment = variables(&[
            ("FAAS_APP__X", &secret),
            ("FAAS_APP__TABLE__X", &secret),
            ("FAAS_APP__LIST", &json),
            ("FAAS_APP__KEYED", &keyed),
        ]);
        let shown = every_message(&Config::load(&environment).unwrap()) + &format!("{environment:?}");
        for form in [secret.clone(), secret.to_lowercase(), secret.escape_debug().to_string()] {
            prop_assert!(!shown.contains(&form), "{}", shown);
        }
        for key in ["RESERVE_MS", "BATCH_CONCURRENCY", "ZZZ"] {
            let error = load(&[(&format!("FAAS_INVOKE__{key}"), &secret)]).unwrap_err();
            let shown = format!("{error} {error:?}");
            prop_assert!(!shown.contains(&secret), "{}", shown);
        }
    }

    #[test]
    fn no_variable_makes_it_panic(name in "(FAAS_|faas_)(APP|INVOKE|CONFIG|x)?_{0,5}\\PC{0,12}", value in "\\PC{0,40}") {
        if let Ok(config) = load(&[(&name, &value)]) {
            let _ = config.app::<serde_json::Value>();
            let _ = config.app::<HashMap<String, Vec<f64>>>();
        }
    }
}

#[cfg(not(feature = "config-file"))]
#[test]
fn without_the_feature_a_file_is_refused_and_none_is_looked_for() {
    assert_eq!(
        refusal(&[("FAAS_CONFIG", "/etc/faas.toml")]),
        "`FAAS_CONFIG` is set, but configuration files need the feature `config-file`; enable it or unset the variable"
    );
}

#[cfg(feature = "config-file")]
#[path = "tests_file.rs"]
mod with_file;
