//! The addresses under which the stand-in shows things, shaped as Linear's.

use super::{
    Inner,
    store::{CommentRecord, IssueRecord},
    workspace::WORKSPACE_KEY,
};

/// No slug is longer.
const LONGEST_SLUG: usize = 60;

/// An issue's page.
#[must_use]
pub fn issue(lab: &Inner, issue: &IssueRecord) -> String {
    let mut url = format!(
        "{}/{WORKSPACE_KEY}/issue/{}",
        lab.base_url,
        lab.identifier(issue)
    );
    let slug = slug(&issue.title);
    if !slug.is_empty() {
        url.push('/');
        url.push_str(&slug);
    }
    url
}

/// A comment, on its issue's page.
#[must_use]
pub fn comment(lab: &Inner, comment: &CommentRecord) -> String {
    let found = lab.store.read().issue(&comment.issue_id).cloned();
    found.map_or_else(String::new, |record| {
        format!("{}#comment-{}", issue(lab, &record), comment.id)
    })
}

/// A person's profile. The stand-in has no such page.
#[must_use]
pub fn profile(lab: &Inner, display_name: &str) -> String {
    format!("{}/{WORKSPACE_KEY}/profiles/{display_name}", lab.base_url)
}

/// The git branch that Linear proposes for an issue.
#[must_use]
pub fn branch(lab: &Inner, issue: &IssueRecord) -> String {
    let owner = lab
        .workspace
        .member(&issue.creator_id)
        .map_or("someone", |member| member.display_name.as_str());
    format!(
        "{owner}/{}-{}",
        lab.identifier(issue).to_lowercase(),
        slug(&issue.title)
    )
}

/// A title in lower-case letters, digits and dashes; empty when nothing of it is left.
fn slug(title: &str) -> String {
    let mut out = String::new();
    for word in title
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
    {
        if out.len() + 1 + word.len() > LONGEST_SLUG {
            break;
        }
        if !out.is_empty() {
            out.push('-');
        }
        out.push_str(&word.to_ascii_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_plain_whatever_the_title_is() {
        assert_eq!(
            slug("[case] Card Charged Twice!"),
            "case-card-charged-twice"
        );
        assert_eq!(slug("<script>\u{1b}]0;x\u{7}"), "script-0-x");
        assert_eq!(slug("日本語"), "");
        assert!(slug(&"long ".repeat(500)).len() <= LONGEST_SLUG);
    }
}
