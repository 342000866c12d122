use crate::batch;
use crate::context::{Context, Shared};
use crate::function::Function;
use crate::handler::Handler;
use faas_sdk_core::{BoxFuture, FromEvent, IntoReply, Invocation, Outcome, Payload, Text};
use std::marker::PhantomData;
use std::sync::Arc;

/// Forgets the types of a handler.
pub(crate) fn erase<H, I, MI, MO>(handler: H) -> Arc<dyn Function>
where
    H: Handler<I, Output: IntoReply<MO>>,
    I: FromEvent<MI> + 'static,
    MI: 'static,
    MO: 'static,
{
    Arc::new(Erased {
        handler,
        types: PhantomData::<fn() -> (I, MI, MO)>,
    })
}

struct Erased<H, T> {
    handler: H,
    types: PhantomData<T>,
}

impl<H, I, MI, MO> Function for Erased<H, fn() -> (I, MI, MO)>
where
    H: Handler<I, Output: IntoReply<MO>>,
    I: FromEvent<MI> + 'static,
    MI: 'static,
    MO: 'static,
{
    fn call<'a>(
        &'a self,
        mut invocation: Invocation,
        name: &'a Text,
        shared: &'a Arc<Shared>,
    ) -> BoxFuture<'a, Outcome> {
        if !I::WHOLE_BATCH {
            invocation.payload = match invocation.payload.take() {
                Payload::Batch(items) => {
                    return Box::pin(batch::each(self, items, invocation, name, shared));
                }
                other => other,
            };
        }
        Box::pin(async move {
            let input = I::from_event(&mut invocation).await?;
            let Invocation { info, scope, .. } = invocation;
            let cx = Context::new(info, name.clone(), scope, Arc::clone(shared));
            self.handler.call(input, cx).await?.into_reply()
        })
    }
}
