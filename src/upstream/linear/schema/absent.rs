//! Things that the lab has none of. Their types exist so that real clients' queries, which name them,
//! are valid; the fields that lead here are always `null` or empty. They are described by tables: a
//! derived resolver for each of these fields was a tenth of what the compiler had to do for this crate.

use std::any::type_name;

use async_graphql::{
    CacheControl, Context, OutputType, Value,
    indexmap::IndexMap,
    registry::{Deprecation, MetaField, MetaType, MetaTypeId, Registry},
};

/// Names of fields as Rust writes them, each with what tells its type to the schema.
type Fields = [(&'static str, fn(&mut Registry) -> String)];

/// Types without a value.
macro_rules! never {
    ($($(#[doc = $doc:literal])* $name:ident { $($field:ident: $kind:ty,)* })*) => {$(
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy)]
        pub enum $name {}

        impl $name {
            const FIELDS: &Fields =
                &[$((stringify!($field), <$kind as OutputType>::create_type_info),)*];
        }

        impl ContainerType for $name {
            async fn resolve_field(&self, _: &Context<'_>) -> ServerResult<Option<Value>> {
                match *self {}
            }
        }

        impl OutputType for $name {
            fn type_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn create_type_info(registry: &mut Registry) -> String {
                described::<Self>(registry, concat!($($doc),*), Self::FIELDS)
            }

            async fn resolve(
                &self,
                _: &ContextSelectionSet<'_>,
                _: &Positioned<Field>,
            ) -> ServerResult<Value> {
                match *self {}
            }
        }

        impl ObjectType for $name {}
    )*};
}

/// Blocks of fields of something that is there; each of them is `null`.
macro_rules! blanks {
    ($($(#[doc = $doc:literal])* $name:ident { $($field:ident: $kind:ty,)* })*) => {$(
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy)]
        pub struct $name;

        impl $name {
            const FIELDS: &Fields =
                &[$((stringify!($field), <Option<$kind> as OutputType>::create_type_info),)*];
        }

        impl ContainerType for $name {
            async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
                Ok(null_of(Self::FIELDS, ctx))
            }
        }

        impl OutputType for $name {
            fn type_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn create_type_info(registry: &mut Registry) -> String {
                described::<Self>(registry, concat!($($doc),*), Self::FIELDS)
            }

            // Its fields are asked one by one, as they are another type's.
            async fn resolve(
                &self,
                _: &ContextSelectionSet<'_>,
                _: &Positioned<Field>,
            ) -> ServerResult<Value> {
                Ok(Value::Null)
            }
        }

        impl ObjectType for $name {}
    )*};
}

mod blanks;
mod never;

pub use self::{
    blanks::{CommentBlanks, IssueBlanks, OrganizationBlanks, TeamBlanks, UserBlanks},
    never::{ProjectStatus, Reaction},
};

/// Describes a type to the schema.
fn described<T: OutputType>(registry: &mut Registry, words: &str, fields: &Fields) -> String {
    registry.create_output_type::<T, _>(MetaTypeId::Object, |registry| MetaType::Object {
        name: T::type_name().into_owned(),
        description: Some(words.trim().to_owned()),
        fields: fields
            .iter()
            .map(|(field, kind)| {
                let name = in_graphql(field).collect::<String>();
                (name.clone(), described_field(name, kind(registry)))
            })
            .collect(),
        cache_control: CacheControl::default(),
        extends: false,
        shareable: false,
        resolvable: true,
        inaccessible: false,
        interface_object: false,
        tags: Vec::new(),
        keys: None,
        visible: None,
        is_subscription: false,
        rust_typename: Some(type_name::<T>()),
        directive_invocations: Vec::new(),
        requires_scopes: Vec::new(),
    })
}

fn described_field(name: String, ty: String) -> MetaField {
    MetaField {
        name,
        description: None,
        args: IndexMap::default(),
        ty,
        deprecation: Deprecation::NoDeprecated,
        cache_control: CacheControl::default(),
        external: false,
        requires: None,
        provides: None,
        visible: None,
        shareable: false,
        inaccessible: false,
        tags: Vec::new(),
        override_from: None,
        compute_complexity: None,
        directive_invocations: Vec::new(),
        requires_scopes: Vec::new(),
    }
}

/// `null`, if the field that is asked for is one of these.
fn null_of(fields: &Fields, ctx: &Context<'_>) -> Option<Value> {
    let asked = ctx.item.node.name.node.as_str();
    let is_asked = |(field, _): &(&str, _)| in_graphql(field).eq(asked.chars());
    fields.iter().any(is_asked).then_some(Value::Null)
}

/// A field's name as GraphQL has it: `created_at` is `createdAt`, and `r#type` is `type`.
fn in_graphql(field: &str) -> impl Iterator<Item = char> + '_ {
    let mut begins_a_word = false;
    field.trim_start_matches("r#").chars().filter_map(move |c| {
        let was_a_word = std::mem::replace(&mut begins_a_word, c == '_');
        match c {
            '_' => None,
            c if was_a_word => Some(c.to_ascii_uppercase()),
            c => Some(c),
        }
    })
}
