//! A message that answers, whole or as a stream of events.

use serde_json::{Value, json};

use super::{
    error::ApiError,
    fill::fill,
    recogniser::{Recognition, recognise},
    request::{MessagesRequest, Output, tokens},
    stand_in_model,
};

/// So many bytes of text go into one event, give or take a character.
const CHUNK: usize = 96;

/// The answer to a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    id: String,
    model: String,
    content: Content,
    stop_reason: &'static str,
    input_tokens: usize,
    output_tokens: usize,
}

#[derive(Debug, Clone, PartialEq)]
enum Content {
    Text(String),
    ToolUse {
        id: String,
        name: String,
        input: Value,
    },
}

impl Answer {
    /// Reads the ticket and answers in the form that was asked for, cut at `max_tokens`.
    pub fn make(
        request: &MessagesRequest,
        id: String,
        max_tokens: usize,
    ) -> Result<Self, ApiError> {
        let (subject, body) = request.ticket();
        let seen = recognise(subject, body);
        let content = match &request.output {
            Output::Text => Content::Text(prose(&seen)),
            Output::Json(schema) => Content::Text(
                fill(schema, &seen)
                    .map_err(|refusal| refusal.into_error("output_config.format.schema"))?
                    .to_string(),
            ),
            Output::Tool { name, schema } => Content::ToolUse {
                id: id.replacen("msg_", "toolu_", 1),
                name: name.clone(),
                input: fill(schema, &seen)
                    .map_err(|refusal| refusal.into_error("tools.input_schema"))?,
            },
        };
        let mut answer = Self {
            id,
            model: stand_in_model(&request.model),
            output_tokens: tokens(content.length()),
            input_tokens: request.input_tokens,
            stop_reason: match content {
                Content::Text(_) => "end_turn",
                Content::ToolUse { .. } => "tool_use",
            },
            content,
        };
        answer.cut(max_tokens);
        Ok(answer)
    }

    fn cut(&mut self, max_tokens: usize) {
        if self.output_tokens <= max_tokens {
            return;
        }
        self.output_tokens = max_tokens;
        self.stop_reason = "max_tokens";
        match &mut self.content {
            Content::Text(text) => {
                text.truncate(text.floor_char_boundary(max_tokens.saturating_mul(4)));
            }
            // Half an input would be no JSON.
            Content::ToolUse { input, .. } => *input = json!({}),
        }
    }

    fn usage(&self, output_tokens: usize) -> Value {
        json!({
            "input_tokens": self.input_tokens,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": output_tokens,
            "service_tier": "standard",
        })
    }

    fn message(&self, content: &Value, stop_reason: Option<&str>, output_tokens: usize) -> Value {
        json!({
            "id": self.id,
            "type": "message",
            "role": "assistant",
            "model": self.model,
            "content": content,
            "stop_reason": stop_reason,
            "stop_sequence": null,
            "usage": self.usage(output_tokens),
        })
    }

    /// The whole message.
    pub fn json(&self) -> Value {
        let block = match &self.content {
            Content::Text(text) => json!({ "type": "text", "text": text }),
            Content::ToolUse { id, name, input } => {
                json!({ "type": "tool_use", "id": id, "name": name, "input": input })
            }
        };
        self.message(&json!([block]), Some(self.stop_reason), self.output_tokens)
    }

    /// The message as Server-Sent Events.
    pub fn events(&self) -> String {
        let mut events = String::new();
        let mut send = |data: &Value| {
            let name = data["type"].as_str().unwrap_or_default();
            events.push_str("event: ");
            events.push_str(name);
            events.push_str("\ndata: ");
            events.push_str(&data.to_string());
            events.push_str("\n\n");
        };
        send(&json!({
            "type": "message_start",
            "message": self.message(&json!([]), None, 1),
        }));
        let (empty, text, delta_type, member) = match &self.content {
            Content::Text(text) => (
                json!({ "type": "text", "text": "" }),
                text.clone(),
                "text_delta",
                "text",
            ),
            Content::ToolUse { id, name, input } => (
                json!({ "type": "tool_use", "id": id, "name": name, "input": {} }),
                input.to_string(),
                "input_json_delta",
                "partial_json",
            ),
        };
        send(&json!({ "type": "content_block_start", "index": 0, "content_block": empty }));
        send(&json!({ "type": "ping" }));
        for chunk in chunks(&text) {
            send(&json!({
                "type": "content_block_delta",
                "index": 0,
                "delta": { "type": delta_type, member: chunk },
            }));
        }
        send(&json!({ "type": "content_block_stop", "index": 0 }));
        send(&json!({
            "type": "message_delta",
            "delta": { "stop_reason": self.stop_reason, "stop_sequence": null },
            "usage": { "output_tokens": self.output_tokens },
        }));
        send(&json!({ "type": "message_stop" }));
        events
    }
}

impl Content {
    fn length(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::ToolUse { input, .. } => input.to_string().len(),
        }
    }
}

fn chunks(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (chunk, tail) = rest.split_at(rest.floor_char_boundary(CHUNK));
        rest = tail;
        Some(chunk)
    })
}

/// What a request without a schema is told.
fn prose(seen: &Recognition) -> String {
    let labels: Vec<&str> = seen.labels.iter().map(|label| label.as_str()).collect();
    format!(
        "This is hoptrail's lab, where rules stand in for a model. They read your text as a support ticket.\n\n\
         Title: {}\nLabels: {}\nPersonal data replaced: {}\n\n{}",
        seen.title,
        labels.join(", "),
        seen.entities.len(),
        seen.masked_text
    )
}
