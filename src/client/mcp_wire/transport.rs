//! The seam as rmcp calls it. Its own bearer header is not used: tokens are ours to renew.

use std::{collections::HashMap, sync::Arc};

use futures::stream::BoxStream;
use http::{HeaderName, HeaderValue, Method};
use rmcp::{
    model::ClientJsonRpcMessage,
    transport::streamable_http_client::{
        SseError, StreamableHttpClient, StreamableHttpPostResponse, StreamableHttpResponseLimits,
    },
};
use sse_stream::Sse;

use super::{McpWire, WireError, WireResult, with_session};
use crate::{client::http::Outgoing, trace::event::Leg};

impl StreamableHttpClient for McpWire {
    type Error = WireError;

    async fn post_message(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session_id: Option<Arc<str>>,
        _auth_header: Option<String>,
        custom_headers: HashMap<HeaderName, HeaderValue>,
    ) -> WireResult<StreamableHttpPostResponse> {
        let limits = StreamableHttpResponseLimits::default();
        self.post(&uri, message, session_id, custom_headers, limits)
            .await
    }

    async fn post_message_with_response_limits(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session_id: Option<Arc<str>>,
        _auth_header: Option<String>,
        custom_headers: HashMap<HeaderName, HeaderValue>,
        limits: StreamableHttpResponseLimits,
    ) -> WireResult<StreamableHttpPostResponse> {
        self.post(&uri, message, session_id, custom_headers, limits)
            .await
    }

    async fn delete_session(
        &self,
        uri: Arc<str>,
        session_id: Arc<str>,
        _auth_header: Option<String>,
        custom_headers: HashMap<HeaderName, HeaderValue>,
    ) -> WireResult<()> {
        let url = self.url(&uri)?;
        let reply = self
            .send(None, |_| {
                let mut outgoing = Outgoing::new(Method::DELETE, url.clone(), Leg::Mcp);
                with_session(&mut outgoing.headers, Some(&session_id), &custom_headers);
                outgoing
            })
            .await?;
        self.drain(None, reply).await?;
        Ok(())
    }

    async fn get_stream(
        &self,
        uri: Arc<str>,
        session_id: Option<Arc<str>>,
        last_event_id: Option<String>,
        _auth_header: Option<String>,
        custom_headers: HashMap<HeaderName, HeaderValue>,
    ) -> WireResult<BoxStream<'static, Result<Sse, SseError>>> {
        let limits = StreamableHttpResponseLimits::default();
        self.listen(
            &uri,
            session_id,
            last_event_id,
            custom_headers,
            limits.max_sse_event_size,
        )
        .await
    }

    async fn get_stream_with_max_sse_event_size(
        &self,
        uri: Arc<str>,
        session_id: Option<Arc<str>>,
        last_event_id: Option<String>,
        _auth_header: Option<String>,
        custom_headers: HashMap<HeaderName, HeaderValue>,
        max_sse_event_size: usize,
    ) -> WireResult<BoxStream<'static, Result<Sse, SseError>>> {
        self.listen(
            &uri,
            session_id,
            last_event_id,
            custom_headers,
            max_sse_event_size,
        )
        .await
    }
}
