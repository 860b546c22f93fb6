//! What the text of a forbid says of scopes.
//!
//! Cedar's parser recurses without looking at its stack, and checks are judged many times a second; so
//! only lists of what is let through are read, and a text that is written in another way says nothing.

use super::{Seen, Status};
use crate::chapters::expect::PolicyScopes;

/// What an author's rule does to a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Does {
    LetsThrough,
    Refuses,
    /// The text does not tell in a way that is understood here.
    Unknown,
}

impl Seen<'_> {
    /// Whether the lists of an active forbid let these scopes through and those not. A rule that is
    /// written without such lists is believed: what it does shows in what is refused.
    pub(super) fn policy_scopes(self, expected: &PolicyScopes) -> Status {
        let name = &expected.policy;
        let evidence = match self.forbidding_policies(std::slice::from_ref(name)) {
            Status::Passed { evidence } => evidence,
            // That it is in force and forbids is another condition's matter.
            Status::Failed { .. } => return Status::pending(format!("{name} to forbid")),
            unknown => return unknown,
        };
        let overview = self.projection.policies().overview();
        let mut active = overview.into_iter().flat_map(|o| &o.active_policies);
        let Some(policy) = active.find(|policy| policy.name == *name) else {
            return Status::pending(format!("{name} to forbid"));
        };
        let code = tokens(&policy.latest_version.cedar_raw);
        if let Some(scope) = first(&expected.refuses, Does::LetsThrough, &code) {
            return Status::failed(format!("{name} is active and lets {scope} through"));
        }
        if let Some(scope) = first(&expected.allows, Does::Refuses, &code) {
            return Status::failed(format!("{name} is active and refuses {scope}, too"));
        }
        Status::Passed { evidence }
    }
}

/// A piece of Cedar.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Text(String),
    Word(String),
    Sign(char),
}

impl Token {
    fn is(&self, sign: char) -> bool {
        *self == Self::Sign(sign)
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self, Self::Word(own) if own == word)
    }
}

/// A text without comments and blanks.
fn tokens(cedar: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut rest = cedar.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '/' if rest.peek() == Some(&'/') => {
                rest.find(|c| matches!(c, '\n' | '\r'));
            }
            '"' => {
                let mut text = String::new();
                while let Some(c) = rest.next().filter(|c| *c != '"') {
                    text.push(c);
                    if c == '\\' {
                        text.extend(rest.next());
                    }
                }
                found.push(Token::Text(text));
            }
            c if is_of_word(c) => {
                let mut word = String::from(c);
                while let Some(c) = rest.next_if(|c| is_of_word(*c)) {
                    word.push(c);
                }
                found.push(Token::Word(word));
            }
            c if c.is_whitespace() => {}
            c => found.push(Token::Sign(c)),
        }
    }
    found
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The first scope to which a rule does this.
fn first<'s>(scopes: &'s [String], does: Does, code: &[Token]) -> Option<&'s String> {
    scopes.iter().find(|scope| does_to(scope, code) == does)
}

/// What a forbid of this text does to a request for one scope.
fn does_to(scope: &str, code: &[Token]) -> Does {
    let Some(lists) = let_through(code) else {
        return Does::Unknown;
    };
    let is_it = |token: &&Token| matches!(token, Token::Text(text) if text == scope);
    let all = code.iter().filter(is_it).count();
    let listed = lists
        .iter()
        .map(|list| list.iter().filter(is_it).count())
        .sum::<usize>();
    let everywhere = lists.iter().all(|list| list.iter().any(|one| is_it(&one)));
    match all {
        _ if lists.is_empty() => Does::Unknown,
        0 => Does::Refuses,
        // Named elsewhere as well, it may be taken away again.
        all if everywhere && all == listed => Does::LetsThrough,
        _ => Does::Unknown,
    }
}

/// The lists whose scopes alone are not forbidden: `unless { [..].containsAll(context.scopes) }`, and
/// the same as a `when` with a `!`. `None` where a list is used in a way that is not understood.
fn let_through(code: &[Token]) -> Option<Vec<&[Token]>> {
    let mut lists = Vec::new();
    // For each open bracket whether a `!` stands before it.
    let mut open: Vec<bool> = Vec::new();
    let mut unless = false;
    for (at, token) in code.iter().enumerate() {
        let not = negations(&code[..at]) % 2 == 1;
        match token {
            Token::Word(word) if word == "unless" => unless = true,
            Token::Word(word) if word == "when" => unless = false,
            Token::Sign('(') => open.push(not),
            Token::Sign(')') => {
                open.pop();
            }
            Token::Sign('[') => {
                let Some((list, behind)) = list_from(&code[at + 1..]) else {
                    continue;
                };
                let Some(behind) = all_scopes(behind) else {
                    continue;
                };
                if matches!(behind.first(), Some(Token::Sign('=' | '!' | '.'))) {
                    return None;
                }
                let turned = open.iter().fold(not, |turned, not| turned ^ not);
                if unless != turned {
                    lists.push(list);
                }
            }
            _ => {}
        }
    }
    Some(lists)
}

/// How many `!` stand right before a place.
fn negations(before: &[Token]) -> usize {
    before.iter().rev().take_while(|one| one.is('!')).count()
}

/// A list's texts behind its bracket, and what comes behind it; `None` for what is no list of texts.
fn list_from(code: &[Token]) -> Option<(&[Token], &[Token])> {
    let end = code.iter().position(|token| token.is(']'))?;
    let (list, behind) = (&code[..end], &code[end + 1..]);
    let is_text = |token: &Token| matches!(token, Token::Text(_) | Token::Sign(','));
    list.iter().all(is_text).then_some((list, behind))
}

/// What comes behind `.containsAll(context.scopes)`.
fn all_scopes(code: &[Token]) -> Option<&[Token]> {
    let [dot, call, open, rest @ ..] = code else {
        return None;
    };
    if !(dot.is('.') && call.is_word("containsAll") && open.is('(')) {
        return None;
    }
    let end = rest.iter().position(|token| token.is(')'))?;
    let of_scopes = match &rest[..end] {
        [context, dot, scopes] => {
            context.is_word("context") && dot.is('.') && scopes.is_word("scopes")
        }
        [context, open, Token::Text(scopes), close] => {
            context.is_word("context") && open.is('[') && scopes == "scopes" && close.is(']')
        }
        _ => false,
    };
    of_scopes.then_some(&rest[end + 1..])
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const HEAD: &str = "// \"write\" is not for anyone\n@id(\"limit\") forbid (principal, action, \
                        resource)\n";

    #[rstest]
    #[case::unless(
        r#"unless { context has scopes && ["read", "issues:create"].containsAll(context.scopes) }"#
    )]
    #[case::when_not(r#"when { context has scopes && !(["issues:create", "read",].containsAll(context.scopes)) }"#)]
    #[case::not_bare(r#"when { !["read", "issues:create"].containsAll(context["scopes"]) }"#)]
    #[case::not_outside(r#"when { !(context has scopes && ["read", "issues:create"].containsAll(context.scopes)) }"#)]
    #[case::twice_not(r#"unless { !(!(["read", "issues:create"].containsAll(context.scopes))) }"#)]
    #[case::in_two(r#"unless { ["read"].containsAll(context.scopes) || ["issues:create"].containsAll(context.scopes) }"#)]
    fn a_rule_that_leaves_write_out_refuses_it_however_it_is_written(#[case] conditions: &str) {
        let code = tokens(&format!("{HEAD}{conditions};"));
        assert_eq!(does_to("write", &code), Does::Refuses);
        assert_ne!(does_to("read", &code), Does::Refuses);
        assert_ne!(does_to("issues:create", &code), Does::Refuses);
    }

    #[rstest]
    #[case::unless(r#"unless { context has scopes && ["read", "write", "issues:create"].containsAll(context.scopes) }"#)]
    #[case::when_not(
        r#"when { !(["read","write"].containsAll(context.scopes)) // all
 }"#
    )]
    fn a_rule_whose_list_names_write_lets_it_through(#[case] conditions: &str) {
        let code = tokens(&format!("{HEAD}{conditions};"));
        assert_eq!(does_to("write", &code), Does::LetsThrough);
    }

    /// What names `write` to forbid it, or in a way that is not understood, is believed.
    #[rstest]
    #[case::named(r#"when { context.scopes.contains("write") }"#)]
    #[case::any_of(
        r#"when { context has scopes && context.scopes.containsAny(["write", "admin"]) }"#
    )]
    #[case::only_write(r#"when { ["write"].containsAll(context.scopes) }"#)]
    #[case::and_then_no_write(
        r#"unless { ["read", "write"].containsAll(context.scopes) && !context.scopes.contains("write") }"#
    )]
    #[case::compared(r#"when { ["read", "write"].containsAll(context.scopes) == false }"#)]
    #[case::no_condition("")]
    #[case::cut(r#"unless { ["read", "write"#)]
    fn a_rule_that_is_written_otherwise_is_not_blamed(#[case] conditions: &str) {
        let code = tokens(&format!("{HEAD}{conditions};"));
        assert_eq!(does_to("write", &code), Does::Unknown);
    }
}
