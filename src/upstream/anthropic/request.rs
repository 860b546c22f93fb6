//! A request for a message: what is needed of it, checked with the path of what is wrong.

use serde_json::Value;

use super::{error::ApiError, fill::keywords::unsupported};

/// The window of the model that is stood in for, in tokens.
const LONGEST_PROMPT: usize = 200_000;

/// A request as far as the stand-in heeds it.
#[derive(Debug, Clone, PartialEq)]
pub struct MessagesRequest {
    pub model: String,
    pub delivery: Delivery,
    pub output: Output,
    pub input_tokens: usize,
    max_tokens: Option<Value>,
    /// The text of the last message, that is a user's.
    text: String,
}

/// How the answer is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    Whole,
    Stream,
}

/// In which form the answer is wanted.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Prose.
    Text,
    /// JSON of this schema, as text.
    Json(Value),
    /// The input of a tool that must be called.
    Tool { name: String, schema: Value },
}

/// A rough count of tokens: four bytes each.
pub const fn tokens(bytes: usize) -> usize {
    bytes.div_ceil(4)
}

impl MessagesRequest {
    /// Reads the body.
    pub fn read(body: &[u8]) -> Result<Self, ApiError> {
        let body: Value = serde_json::from_slice(body).map_err(|error| {
            ApiError::invalid(format!("The request body is not valid JSON: {error}"))
        })?;
        if !body.is_object() {
            return Err(ApiError::invalid("The request body must be a JSON object"));
        }
        let model = match &body["model"] {
            Value::String(model) if is_model(model) => model.clone(),
            Value::String(model) => return Err(ApiError::not_found(format!("model: {model}"))),
            Value::Null => return Err(ApiError::invalid("model: Field required")),
            _ => return Err(ApiError::invalid("model: Input should be a valid string")),
        };
        let text = conversation(&body["messages"])?;
        let input_tokens = tokens(text.len() + content_text("system", &body["system"])?.len());
        if input_tokens > LONGEST_PROMPT {
            return Err(ApiError::invalid(format!(
                "prompt is too long: {input_tokens} tokens > {LONGEST_PROMPT} maximum"
            )));
        }
        let delivery = match &body["stream"] {
            Value::Null | Value::Bool(false) => Delivery::Whole,
            Value::Bool(true) => Delivery::Stream,
            _ => return Err(ApiError::invalid("stream: Input should be a valid boolean")),
        };
        Ok(Self {
            model,
            delivery,
            output: output(&body)?,
            input_tokens,
            max_tokens: body.get("max_tokens").cloned(),
            text,
        })
    }

    /// The most tokens that the answer may have; counting tokens does not need it.
    pub fn max_tokens(&self) -> Result<usize, ApiError> {
        match &self.max_tokens {
            None | Some(Value::Null) => Err(ApiError::invalid("max_tokens: Field required")),
            Some(value) => value
                .as_u64()
                .filter(|number| *number > 0)
                .and_then(|number| usize::try_from(number).ok())
                .ok_or_else(|| {
                    ApiError::invalid("max_tokens: Input should be greater than or equal to 1")
                }),
        }
    }

    /// The subject and the body of the ticket. A text that does not begin with `Subject:` is all
    /// body.
    pub fn ticket(&self) -> (&str, &str) {
        let text = self.text.trim_start();
        match text.strip_prefix("Subject:") {
            Some(rest) => {
                let (subject, body) = rest.split_once('\n').unwrap_or((rest, ""));
                (subject.trim(), body.trim_start_matches(['\r', '\n']))
            }
            None => ("", &self.text),
        }
    }

    pub const fn text_length(&self) -> usize {
        self.text.len()
    }
}

/// Which models there are changes; that one is of a family does not.
fn is_model(name: &str) -> bool {
    name.starts_with("claude-")
        && ["haiku", "sonnet", "opus"]
            .iter()
            .any(|family| name.contains(family))
}

/// The text of the last message.
fn conversation(messages: &Value) -> Result<String, ApiError> {
    let messages = match messages {
        Value::Array(messages) => messages,
        Value::Null => return Err(ApiError::invalid("messages: Field required")),
        _ => return Err(ApiError::invalid("messages: Input should be a valid list")),
    };
    let mut last = None;
    for (index, message) in messages.iter().enumerate() {
        let path = format!("messages.{index}.content");
        let text = match message["role"].as_str() {
            Some("user") => Some(content_text(&path, &message["content"])?),
            Some("assistant") => {
                content_text(&path, &message["content"])?;
                None
            }
            _ => {
                return Err(ApiError::invalid(format!(
                    "messages.{index}.role: Input should be 'user' or 'assistant'"
                )));
            }
        };
        if message["content"].is_null() {
            return Err(ApiError::invalid(format!("{path}: Field required")));
        }
        last = Some(text);
    }
    match last {
        None => Err(ApiError::invalid(
            "messages: at least one message is required",
        )),
        Some(None) => Err(ApiError::invalid(
            "messages: the stand-in answers a user's message, so the last one must be a user's",
        )),
        Some(Some(text)) if text.trim().is_empty() => Err(ApiError::invalid(
            "messages: text content blocks must be non-empty",
        )),
        Some(Some(text)) => Ok(text),
    }
}

/// A string, or a list of text blocks.
fn content_text(path: &str, content: &Value) -> Result<String, ApiError> {
    match content {
        Value::Null => Ok(String::new()),
        Value::String(text) => Ok(text.clone()),
        Value::Array(blocks) => {
            let mut texts = Vec::new();
            for (index, block) in blocks.iter().enumerate() {
                match (block["type"].as_str(), block["text"].as_str()) {
                    (Some("text"), Some(text)) => texts.push(text),
                    (Some("text"), None) => {
                        return Err(ApiError::invalid(format!(
                            "{path}.{index}.text: Field required"
                        )));
                    }
                    _ => {
                        return Err(ApiError::invalid(format!(
                            "{path}.{index}.type: the lab's stand-in reads text blocks only"
                        )));
                    }
                }
            }
            Ok(texts.join("\n"))
        }
        _ => Err(ApiError::invalid(format!(
            "{path}: Input should be a string or a list of content blocks"
        ))),
    }
}

fn output(body: &Value) -> Result<Output, ApiError> {
    let format = &body["output_config"]["format"];
    if !format.is_null() {
        return match (format["type"].as_str(), &format["schema"]) {
            (Some("json_schema"), schema @ Value::Object(_)) => match unsupported(schema) {
                Some(why) => Err(ApiError::invalid(format!(
                    "output_config.format.schema: {why}"
                ))),
                None => Ok(Output::Json(schema.clone())),
            },
            (Some("json_schema"), _) => Err(ApiError::invalid(
                "output_config.format.schema: Field required",
            )),
            _ => Err(ApiError::invalid(
                "output_config.format.type: Input should be 'json_schema'",
            )),
        };
    }
    let forced = match body["tool_choice"]["type"].as_str() {
        Some("tool") => body["tool_choice"]["name"].as_str().map(Some),
        Some("any") => Some(None),
        _ => None,
    };
    let Some(name) = forced else {
        return Ok(Output::Text);
    };
    let tool = body["tools"]
        .as_array()
        .and_then(|tools| {
            tools
                .iter()
                .find(|tool| name.is_none_or(|name| tool["name"] == name))
        })
        .ok_or_else(|| ApiError::invalid("tool_choice: the tool is not among `tools`"))?;
    Ok(Output::Tool {
        name: tool["name"].as_str().unwrap_or_default().to_owned(),
        schema: tool["input_schema"].clone(),
    })
}
