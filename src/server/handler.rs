//! The MCP side: introduces the server, lists the tools, runs them.

use std::{panic::AssertUnwindSafe, sync::Arc};

use axum::http::request::Parts;
use futures::FutureExt as _;
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, Implementation, ListToolsResult,
        PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool as ToolDescription,
    },
    service::RequestContext,
};

use super::{
    SERVER_NAME, SERVER_VERSION,
    bearer::Caller,
    call::{Call, Services},
    progress::Progress,
    stage::Stage,
    tools::{self, NoCall, Tool},
};
use crate::protocol::traceparent::{TraceId, TraceParent};

#[derive(Clone)]
pub(super) struct SupportEscalation(Arc<Services>);

impl SupportEscalation {
    pub const fn new(services: Arc<Services>) -> Self {
        Self(services)
    }

    fn stage(&self) -> Stage {
        self.0.settings.stage()
    }

    fn call(&self, tool: &Tool, context: RequestContext<RoleServer>) -> Result<Call, ErrorData> {
        let caller = context
            .extensions
            .get::<Parts>()
            .and_then(|parts| parts.extensions.get::<Arc<Caller>>())
            .map(Arc::clone);
        // The router puts the check before the handler; without it nobody is served.
        if caller.is_none() && self.stage().demands_bearer() {
            return Err(ErrorData::internal_error("Internal server error", None));
        }
        let trace = context
            .meta
            .get_traceparent()
            .and_then(|text| text.parse::<TraceParent>().ok())
            .map_or_else(|| TraceId(self.0.ids.u128()), |parent| parent.trace);
        let token = context.meta.get_progress_token();
        Ok(Call {
            services: Arc::clone(&self.0),
            caller,
            trace,
            progress: Progress::new(context.peer, token, tool.steps(&self.0.settings)),
            cancelled: context.ct,
        })
    }
}

impl ServerHandler for SupportEscalation {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new(SERVER_NAME, SERVER_VERSION))
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(tools::all(self.stage())))
    }

    fn get_tool(&self, name: &str) -> Option<ToolDescription> {
        tools::find(self.stage(), name).cloned()
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let tool = match Tool::read(&request.name, request.arguments) {
            Ok(tool) => tool,
            Err(NoCall::Arguments(failure)) => return Ok(tools::failed(&failure).into()),
            Err(NoCall::UnknownTool) => {
                let name: String = request.name.chars().take(64).collect();
                return Ok(tools::unknown(&name).into());
            }
        };
        let call = self.call(&tool, context)?;
        // A panic here would leave the caller without any answer: rmcp runs this in a task of its own.
        let done = AssertUnwindSafe(tool.run(&call)).catch_unwind().await;
        call.progress.finish().await;
        done.map(Into::into)
            .map_err(|_| ErrorData::internal_error("Internal server error", None))
    }
}
