//! One call from the command line.

use crate::{listing, settings};
use faas_sdk_core::{
    Attempt, Body, Data, Drive, Error, ErrorKind, Event, Invocation, Program, Reply, Result, Stage,
    Stop, drive, report_leftovers,
};
use faas_sdk_scope::{CancelReason, Instance, Scope};
use std::io::{Read, Write};
use std::time::Duration;

/// How long after the second stop signal the process is ended, whatever still runs.
pub(crate) const LAST_GRACE: Duration = Duration::from_secs(1);

/// The code of an error that has been shown on standard error already.
const REPORTED: &str = "reported";

/// The code of an error in the words of a command line.
const USAGE: &str = "usage";

/// The largest payload that is read from a file or from standard input.
const MAX_INPUT: u64 = 32 << 20;

/// What the arguments ask for.
pub(crate) enum Command {
    Serve,
    Help,
    Invoke { function: String, payload: Vec<u8> },
}

impl Command {
    /// `only` is the only function there is, if there is one: its name may be left out before a
    /// payload that can't be a name.
    pub(crate) fn parse(arguments: &[String], only: Option<&str>) -> Result<Self> {
        let words: Vec<_> = arguments.iter().map(String::as_str).collect();
        match *words {
            [] => Ok(Self::Serve),
            ["help" | "--help" | "-h"] => Ok(Self::Help),
            ["invoke", payload] if payload.starts_with(['{', '[', '"', '@', '-']) => match only {
                Some(only) => Self::invoke(only, payload),
                None => Err(usage(format!(
                    "the name of the function comes before `{payload}`"
                ))),
            },
            ["invoke", function] => Self::invoke(function, "-"),
            ["invoke", function, payload] => Self::invoke(function, payload),
            ["invoke"] => Err(usage("`invoke` needs the name of a function".to_owned())),
            ["invoke", _, _, extra, ..] => Err(usage(format!(
                "`{extra}` is too much: put the payload in quotes"
            ))),
            [word, ..] => Err(usage(format!(
                "`{word}` is no command: use `invoke`, or `help`"
            ))),
        }
    }

    fn invoke(function: &str, payload: &str) -> Result<Self> {
        let unreadable = |what: String| {
            move |error: std::io::Error| usage(format!("can't read {what}")).with_source(error)
        };
        let payload = match payload.strip_prefix('@') {
            Some(path) => std::fs::File::open(path)
                .and_then(|file| read(&file))
                .map_err(unreadable(format!("`{path}`")))?,
            None if payload == "-" => {
                read(std::io::stdin()).map_err(unreadable("standard input".to_owned()))?
            }
            None => payload.as_bytes().to_vec(),
        };
        Ok(Self::Invoke {
            function: function.to_owned(),
            payload,
        })
    }
}

fn read(from: impl Read) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(MAX_INPUT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_INPUT {
        let message = format!("it has more than {MAX_INPUT} bytes");
        return Err(std::io::Error::new(
            std::io::ErrorKind::FileTooLarge,
            message,
        ));
    }
    Ok(bytes)
}

fn usage(message: String) -> Error {
    Error::new(ErrorKind::InvalidInput, message).with_code(USAGE)
}

/// How the program is called.
pub(crate) fn help(program: &Program) -> String {
    let names = program
        .entries
        .iter()
        .map(|entry| listing::name(&entry.kind));
    let names = names.collect::<Vec<_>>().join("\n  ");
    format!(
        "without arguments: serve on FAAS_LOCAL_ADDR (127.0.0.1:9000)\n\
         invoke <function> '<json>' | @<file> | -: call once, with text, a file or standard input\n\n\
         there is:\n  {names}"
    )
}

/// Calls a function once: the answer on standard output, an error on standard error. A stop signal
/// cancels it.
///
/// An error that was shown has the code `reported`, and one in the arguments `usage`.
pub(crate) async fn invoke(program: &Program, function: String, payload: Vec<u8>) -> Result<()> {
    program.hooks.init().await?;
    let stop = program
        .stop
        .clone()
        .unwrap_or_else(|| Stop::on_signals_in_thread(LAST_GRACE));
    let instance = Instance::new();
    let (arrival, in_flight) = instance.arrive();
    let scope = Scope::new(&instance, settings::timeout(&program.env)?);
    let event = Event::invoke("one-shot", function.as_str(), Data::Json(payload.into()));
    let mut invocation = Invocation::new("one-shot", scope.clone(), event);
    invocation.info.platform = listing::PLATFORM;
    invocation.info.attempt = Attempt::number(1);
    invocation.info.cold_start = arrival.cold_start;
    invocation.info.function.name = Some(function.as_str().into());
    invocation.info.function.called = Some(function.into());
    let mut how = Drive::default();
    (how.reserve, how.end) = (program.settings.reserve, program.settings.end);
    let call = async {
        match drive(&*program.invoke, invocation, &how).await {
            Ok(reply) => show(reply).await,
            Err(error) => Err(error),
        }
    };
    let mut call = std::pin::pin!(call);
    let shown = tokio::select! {
        biased;
        shown = &mut call => shown,
        () = stop.requested() => {
            scope.cancel(CancelReason::Shutdown);
            call.await
        }
    };
    report_leftovers(&scope.finish(how.end).await, None);
    drop(in_flight);
    if tokio::time::timeout(program.settings.drain, instance.idle())
        .await
        .is_err()
    {
        tracing::warn!(
            tasks = instance.background_tasks(),
            "spawned work did not end in time"
        );
    }
    let shown = shown.map_err(|error| {
        complain(&error);
        error.with_code(REPORTED)
    });
    let ended = program
        .hooks
        .run(Stage::Shutdown, program.settings.drain)
        .await;
    shown.and(ended)
}

async fn show(reply: Reply) -> Result<()> {
    let (body, status) = match reply {
        Reply::Content(content) => (content.body, None),
        Reply::Http(response) => {
            let status = response.status();
            (response.into_body(), Some(status))
        }
        Reply::Event(event) => (
            faas_sdk_cloudevents::encode_structured(&event)?.into(),
            None,
        ),
        other => {
            let message = format!("there is no form for {other:?} on a terminal");
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
    };
    print(body).await?;
    match status {
        Some(status) if status.is_client_error() || status.is_server_error() => Err(Error::new(
            ErrorKind::Internal,
            format!("the function answered {status}"),
        )),
        _ => Ok(()),
    }
}

/// Writes a body to standard output as it comes, and a line's end behind it.
async fn print(mut body: Body) -> Result<()> {
    let mut out = std::io::stdout();
    let failed = |error| {
        Error::new(ErrorKind::Unavailable, "standard output takes no more").with_source(error)
    };
    let mut last = None;
    while let Some(piece) = body.next_data().await? {
        out.write_all(&piece)
            .and_then(|()| out.flush())
            .map_err(failed)?;
        last = piece.last().copied().or(last);
    }
    if last.is_some_and(|byte| byte != b'\n') {
        out.write_all(b"\n").map_err(failed)?;
    }
    out.flush().map_err(failed)
}

#[allow(clippy::print_stderr, reason = "the answer to a person at a terminal")]
fn complain(error: &Error) {
    eprintln!("error: {error}");
    eprintln!("  code: {}", error.code());
    for (name, value) in error.context() {
        eprintln!("  {name}: {value}");
    }
    for cause in error.causes() {
        eprintln!("  caused by: {cause}");
    }
    if let Some(backtrace) = error.backtrace() {
        eprintln!("{backtrace}");
    }
}
