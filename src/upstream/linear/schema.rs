//! The GraphQL schema: the part of Linear's that the workshop and `@linear/sdk` 98 touch.
//!
//! Field and argument names are Linear's. What the lab has nothing of is `null` (its types stand
//! in [`absent`]); some of those fields are non-null at Linear.

pub mod absent;
pub mod comparators;
pub mod connection;
pub mod filters;
pub mod mutation;
#[expect(
    clippy::unused_async,
    reason = "`async_graphql` takes async resolvers only"
)]
pub mod nodes;
#[expect(
    clippy::unused_async,
    reason = "`async_graphql` takes async resolvers only"
)]
#[expect(
    clippy::used_underscore_binding,
    reason = "Linear's arguments that change nothing here"
)]
pub mod query;
pub mod scalars;

use std::sync::Arc;

use async_graphql::{Context, EmptySubscription, Result, Schema, ValidationMode};

use self::{mutation::Mutation, query::Query};
use super::{
    Inner,
    access::{Caller, Scope},
};

/// The schema, built once.
pub type LinearSchema = Schema<Query, Mutation, EmptySubscription>;

/// Selections in one document, as deep as introspection by the usual tools needs and no deeper.
const DEEPEST: usize = 20;

/// Fields in one document. `@linear/sdk`'s largest query has about 150.
pub(super) const MOST_FIELDS: usize = 3_000;

/// Builds the schema over the stand-in's state.
#[must_use]
pub fn build(inner: Arc<Inner>) -> LinearSchema {
    Schema::build(Query, Mutation, EmptySubscription)
        .data(inner)
        .validation_mode(ValidationMode::Strict)
        .limit_depth(DEEPEST)
        .limit_complexity(MOST_FIELDS)
        .limit_directives(20)
        .finish()
}

/// The stand-in's state.
fn lab<'a>(ctx: &Context<'a>) -> Result<&'a Arc<Inner>> {
    ctx.data::<Arc<Inner>>()
}

/// The caller, once it is clear that its credential is good for `scope`.
fn caller<'a>(ctx: &Context<'a>, scope: Scope) -> Result<&'a Caller> {
    let caller = ctx.data::<Caller>()?;
    caller.must_have(scope)?;
    Ok(caller)
}
