//! The zone's OAuth front: metadata, keys, registration, authorize, consent, token.
//!
//! Speaks the protocol; who may have what is decided by the store, policy and exchange.

pub(super) mod error;
pub mod form;
pub mod metadata;
pub mod pkce;
pub mod redirect_uri;
pub mod registration;
