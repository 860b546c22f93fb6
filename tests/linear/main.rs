//! The Linear stand-in, asked as its real clients ask.

mod credentials;
mod graphql;
mod issues;
mod lab;
mod oauth;
mod surroundings;
