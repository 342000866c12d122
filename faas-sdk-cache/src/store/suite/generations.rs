use super::Subject;
use super::probe::{MANY, MINUTE, Probe, envelope};
use crate::store::{NewGeneration, Read, Version};

fn new(name: &str, generation: Version) -> NewGeneration {
    NewGeneration {
        name: name.to_owned(),
        generation,
    }
}

pub(super) async fn a_base_at_first(subject: &dyn Subject) {
    let probe = Probe::open(subject).await;
    let first = probe.generations(&["tag"]).await[0];
    assert!(first > 0);
    assert_eq!(
        probe
            .generations(&["tag", "other", "", "base", "\0é{}"])
            .await,
        [first; 5]
    );
}

pub(super) async fn advanced_names_alone(subject: &dyn Subject) {
    let probe = Probe::open(subject).await;
    let names = [
        "a",
        "b",
        "",
        "base",
        "last",
        "\0é{}",
        "*",
        &"long".repeat(100),
    ];
    let base = probe.generations(&["a"]).await[0];
    let mut last = base;
    for (index, name) in names.iter().enumerate() {
        let generation = probe.advance(&[name]).await;
        assert!(generation > last, "{name:?}");
        last = generation;
        let all = probe.generations(&names).await;
        assert_eq!(all[index], generation);
        assert!(
            all[index + 1..].iter().all(|other| *other == base),
            "{all:?} after {name:?}"
        );
        assert!(all[..=index].is_sorted_by(|a, b| a < b));
    }
    let generation = probe.advance(&["a", "b", "a"]).await;
    assert!(generation > last, "a repeated advance is a newer one");
    assert_eq!(
        probe.generations(&["b", "a", "c"]).await,
        [generation, generation, base]
    );
}

pub(super) async fn advances_are_logged(subject: &dyn Subject) {
    let probe = Probe::open(subject).await;
    let start = probe.tag_log(None, MANY).await;
    assert!(!start.gap && start.entries.is_empty() && start.position > 0);
    let again = probe.tag_log(None, MANY).await;
    assert_eq!(again.position, start.position);

    let first = probe.advance(&["a", "b"]).await;
    let second = probe.advance(&["a"]).await;
    let answer = probe.tag_log(Some(start.position), MANY).await;
    assert!(!answer.gap);
    assert_eq!(answer.position, second);
    assert_eq!(
        answer.entries,
        [new("a", first), new("b", first), new("a", second)]
    );
    let answer = probe.tag_log(Some(first), MANY).await;
    assert_eq!(
        (answer.entries, answer.gap),
        (vec![new("a", second)], false)
    );
    let answer = probe.tag_log(Some(second), 0).await;
    assert_eq!((answer.entries, answer.gap), (vec![], false));
}

pub(super) async fn limited_by_names(subject: &dyn Subject) {
    let probe = Probe::open(subject).await;
    let start = probe.tag_log(None, MANY).await.position;
    let first = probe.advance(&["a", "b", "c"]).await;
    let last = probe.advance(&["d", "e"]).await;
    for (limit, gap) in [(5, false), (4, true), (2, true), (0, true)] {
        let answer = probe.tag_log(Some(start), limit).await;
        let count = if gap { 0 } else { 5 };
        assert_eq!((answer.entries.len(), answer.gap), (count, gap), "{limit}");
        assert_eq!(answer.position, last);
    }
    assert!(!probe.tag_log(Some(first), 2).await.gap);
}

pub(super) async fn gaps(subject: &dyn Subject) {
    let probe = Probe::open(subject).await;
    let base = probe.generations(&["a"]).await[0];
    let position = probe.advance(&["a"]).await;
    subject.trim_logs().await;
    let answer = probe.tag_log(Some(position), MANY).await;
    assert!(answer.gap && answer.entries.is_empty());
    assert_eq!(
        probe.generations(&["a", "b"]).await,
        [position, base],
        "the log alone is lost"
    );
    let next = probe.advance(&["b"]).await;
    let after = probe.tag_log(Some(answer.position), MANY).await;
    assert_eq!((after.entries, after.gap), (vec![new("b", next)], false));
    for unknown in [0, 1, next + 1, 1 << 53, u64::MAX] {
        let answer = probe.tag_log(Some(unknown), MANY).await;
        assert_eq!((answer.gap, answer.position), (true, next), "{unknown}");
    }
}

pub(super) async fn a_loss_makes_all_newer(subject: &dyn Subject) {
    let probe = Probe::open(subject).await;
    let before = probe.generations(&["a"]).await[0];
    let advanced = probe.advance(&["a"]).await;
    subject.flush().await;
    assert!(probe.tag_log(Some(advanced), MANY).await.gap);
    let after = probe.generations(&["a", "b"]).await;
    assert!(
        after[0] > advanced && after[1] > before && after[0] == after[1],
        "{after:?}"
    );
    assert!(probe.advance(&["a"]).await > after[0]);

    // The loss shows as well if the next to come is an advance.
    subject.flush().await;
    let advanced = probe.advance(&["a"]).await;
    let rest = probe.generations(&["a", "b"]).await;
    assert!(
        advanced > after[0] && rest[0] == advanced && rest[1] > after[1],
        "{rest:?}"
    );
}

pub(super) async fn all_at_once(subject: &dyn Subject) {
    let probe = Probe::open(subject).await;
    let first = Read {
        log: Some(None),
        tag_log: Some(None),
        names: &["a"],
        keys: &[b"key"],
        ..Read::default()
    };
    let answer = probe.read(first).await;
    let (log, tag_log) = (
        answer.log.expect("asked for"),
        answer.tag_log.expect("asked for"),
    );
    assert!(!log.gap && !tag_log.gap && answer.time.is_some());
    let base = answer.generations[0];

    let written = probe.put(b"key", envelope(MINUTE, "value")).await;
    let advanced = probe.advance(&["a"]).await;
    let second = Read {
        log: Some(Some(log.position)),
        tag_log: Some(Some(tag_log.position)),
        names: &["b", "a"],
        keys: &[b"absent", b"key"],
        log_limit: 10,
        ..Read::default()
    };
    let answer = probe.read(second).await;
    let (log, tag_log) = (
        answer.log.expect("asked for"),
        answer.tag_log.expect("asked for"),
    );
    assert_eq!(
        (log.position, log.entries.len(), log.gap),
        (written, 1, false)
    );
    assert_eq!((tag_log.position, tag_log.gap), (advanced, false));
    assert_eq!(tag_log.entries, [new("a", advanced)]);
    assert_eq!(answer.generations, [base, advanced]);
    assert!(answer.values[0].is_none() && answer.values[1].is_some());
    assert!(answer.time.is_some());
}
