//! Stand-ins for Supabase, Anthropic, Linear and GitHub.
