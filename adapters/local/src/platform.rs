use crate::codec::Requests;
use crate::one_shot::{self, Command, LAST_GRACE};
use crate::settings::Listening;
use crate::{listing, settings};
use faas_sdk_core::{Deployment, Detection, Env, Platform, Program, Result, Stop};
use faas_sdk_push::{Profile, Server};
use std::io::Write;
use std::sync::Arc;

/// A development server, and one-shot calls.
#[derive(Clone, Copy, Debug, Default)]
pub struct Local;

impl Local {
    /// The local platform.
    #[must_use]
    pub fn new() -> Self {
        Self
    }
}

impl Platform for Local {
    fn name(&self) -> &'static str {
        listing::PLATFORM
    }

    /// Never: it is what remains where no other platform is found.
    fn detect(&self, _: &Env) -> Detection {
        Detection::No
    }

    fn deployment(&self, _: &Env) -> Deployment {
        let mut deployment = Deployment::new();
        deployment.instance = Some(format!("local-{}", std::process::id()));
        deployment
    }

    async fn serve(&self, program: Program) -> Result<()> {
        match Command::parse(&program.arguments, listing::only_function(&program.entries))? {
            Command::Serve => serve(program).await,
            Command::Help => {
                say(&one_shot::help(&program));
                Ok(())
            }
            Command::Invoke { function, payload } => {
                one_shot::invoke(&program, function, payload).await
            }
        }
    }
}

async fn serve(program: Program) -> Result<()> {
    let timeout = settings::timeout(&program.env)?;
    let stop = program
        .stop
        .clone()
        .unwrap_or_else(|| Stop::on_signals_in_thread(LAST_GRACE));
    // Before the port is open nobody is told of it.
    tokio::select! {
        biased;
        () = stop.requested() => return Ok(()),
        ready = program.hooks.init() => ready?,
    }
    let Listening {
        listener,
        address,
        taken,
    } = settings::listen(&program.env).await?;
    if let Some(taken) = taken {
        say(&format!("{taken} is taken, the next free port is used"));
    }
    let listing = listing::text(&program.entries, address);
    say(&format!(
        "serving on http://{address}, stop with Ctrl-C\n{listing}"
    ));
    let codec = Arc::new(Requests::new(program.entries.clone(), timeout));
    Server::new(codec, Profile::default(), &program)
        .serve_on(vec![listener], stop)
        .await
}

/// Tells a person at a terminal, on standard error: standard output is for log lines. Whether
/// anybody listens makes no difference to serving.
fn say(text: &str) {
    let mut out = std::io::stderr();
    let _ = out
        .write_all(format!("{text}\n").as_bytes())
        .and_then(|()| out.flush());
}
