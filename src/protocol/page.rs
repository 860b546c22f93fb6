//! A page that needs a person, in the form that a program can walk through.
//!
//! Ours: every page of the lab (the zone's sign-in and consent, the GitHub and Linear stand-ins'
//! sign-in and authorize) answers a request with `Accept: application/json` with a [`PageForm`]
//! instead of HTML. `--headless` submits [`PageForm::submission`] and follows the redirects, keeping
//! each origin's cookies, until one leads to the client's own redirect URI. A page that ends in an
//! error answers a non-2xx status with [`super::oauth::ErrorResponse`] instead.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A page's one form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageForm {
    /// What the page asks for.
    pub page: PageKind,
    /// The page's heading.
    pub title: String,
    /// Where the form goes: an absolute URL.
    pub action: String,
    /// How it goes there: a POST is form-encoded, a GET carries the fields as its query.
    pub method: PageMethod,
    /// Hidden fields, sent back unchanged (a CSRF token among them: never record these).
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
    /// The buttons or radio buttons, of which one is chosen. Empty when there is nothing to choose.
    #[serde(default)]
    pub choices: Vec<PageChoice>,
    /// What the page tells the person before they choose, in reading order: for a consent page
    /// exactly what is granted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<PageDetail>,
}

/// What a page asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PageKind {
    /// Who are you?
    SignIn,
    /// Do you agree?
    Consent,
    /// A kind that this version does not know.
    #[serde(other)]
    Other,
}

/// How a form is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum PageMethod {
    Get,
    Post,
}

/// One way to answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageChoice {
    /// The form field's name; choices with one name exclude one another.
    pub name: String,
    /// The value that choosing sends.
    pub value: String,
    /// What the button says.
    pub label: String,
    /// True for the one that a friendly person would take.
    #[serde(default)]
    pub default: bool,
}

/// One line of what a page says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageDetail {
    pub label: String,
    pub value: String,
}

impl PageForm {
    /// The fields to send when the default choice is taken (the first, where none is marked).
    #[must_use]
    pub fn submission(&self) -> BTreeMap<String, String> {
        let chosen = self
            .choices
            .iter()
            .find(|choice| choice.default)
            .or_else(|| self.choices.first());
        let mut sent = self.fields.clone();
        if let Some(choice) = chosen {
            sent.insert(choice.name.clone(), choice.value.clone());
        }
        sent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_choice_is_what_the_robot_sends() {
        let form: PageForm = serde_json::from_str(
            r#"{"page":"consent","title":"Allow?","action":"http://127.0.0.1:1/x","method":"POST",
                "fields":{"csrf":"c"},
                "choices":[{"name":"decision","value":"deny","label":"Deny"},
                           {"name":"decision","value":"allow","label":"Allow","default":true}]}"#,
        )
        .unwrap();
        assert_eq!(form.page, PageKind::Consent);
        assert_eq!(form.method, PageMethod::Post);
        let sent = form.submission();
        assert_eq!(sent["decision"], "allow");
        assert_eq!(sent["csrf"], "c");
    }
}
