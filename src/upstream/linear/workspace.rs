//! What the sample workspace "Hoptrail Lab" consists of before anybody files an issue: its people,
//! its team, its labels and its workflow. All of it is ours, and its ids are stable.

use std::sync::Arc;

use crate::{support::digest::sha256, upstream::people::Person};

/// The workspace's name.
pub const WORKSPACE_NAME: &str = "Hoptrail Lab";
/// The workspace's name in URLs.
pub const WORKSPACE_KEY: &str = "hoptrail-lab";

/// Owner of the workshop's one personal API key (chapter 0).
pub const ADMIN_NAME: &str = "Workshop Admin";
const ADMIN_EMAIL: &str = "workshop-admin@lab.example";

/// Somebody in the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub id: String,
    pub name: String,
    pub display_name: String,
    pub email: String,
    pub role: Role,
}

/// What somebody is in the workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    Member,
    Admin,
}

/// The team that issues are filed for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Team {
    /// `LINEAR_TEAM_ID` of the workshop's `.env`.
    pub id: String,
    /// The first part of an issue's identifier.
    pub key: String,
    pub name: String,
}

impl Default for Team {
    fn default() -> Self {
        Self {
            id: "030eb113-b144-44f8-864f-c0507c21e80d".into(),
            key: "ENG".into(),
            name: "Engineering".into(),
        }
    }
}

/// A label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    pub id: String,
    pub name: &'static str,
    pub color: &'static str,
}

/// A step of the workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    pub id: String,
    pub name: &'static str,
    /// Linear's `type`: `backlog`, `unstarted`, `started`, `completed`, `canceled`.
    pub kind: &'static str,
    pub color: &'static str,
}

const LABELS: &[(&str, &str)] = &[
    ("payments", "#4cb782"),
    ("webhooks", "#5e6ad2"),
    ("data-export", "#26b5ce"),
    ("auth", "#f2994a"),
    ("frontend", "#bb87fc"),
    ("api", "#4ea7fc"),
    ("infrastructure", "#95a2b3"),
    ("notifications", "#f2c94c"),
];

const STATES: &[(&str, &str, &str)] = &[
    ("Backlog", "backlog", "#bec2c8"),
    ("Todo", "unstarted", "#e2e2e2"),
    ("In Progress", "started", "#f2c94c"),
    ("Done", "completed", "#5e6ad2"),
    ("Canceled", "canceled", "#95a2b3"),
];

/// The workspace.
#[derive(Debug)]
pub struct Workspace {
    pub id: String,
    pub members: Vec<Arc<Member>>,
    pub team: Team,
    pub labels: Vec<Label>,
    pub states: Vec<State>,
}

impl Workspace {
    /// The workspace with `people` in it and the workshop's admin behind them.
    #[must_use]
    pub fn new(people: &[Person], team: Team) -> Self {
        let members = people
            .iter()
            .map(|person| Member {
                id: stable_id("user", person.email),
                name: person.name.to_owned(),
                display_name: person.linear_display_name.to_owned(),
                email: person.email.to_owned(),
                role: Role::Member,
            })
            .chain([Member {
                id: stable_id("user", ADMIN_EMAIL),
                name: ADMIN_NAME.to_owned(),
                display_name: "workshop-admin".to_owned(),
                email: ADMIN_EMAIL.to_owned(),
                role: Role::Admin,
            }])
            .map(Arc::new)
            .collect();
        Self {
            id: stable_id("organization", WORKSPACE_KEY),
            members,
            labels: LABELS
                .iter()
                .map(|(name, color)| Label {
                    id: stable_id("label", name),
                    name,
                    color,
                })
                .collect(),
            states: STATES
                .iter()
                .map(|(name, kind, color)| State {
                    id: stable_id("state", name),
                    name,
                    kind,
                    color,
                })
                .collect(),
            team,
        }
    }

    /// The member with this id.
    #[must_use]
    pub fn member(&self, id: &str) -> Option<&Arc<Member>> {
        self.members.iter().find(|member| member.id == id)
    }

    /// The member that an application may act for: anybody but the workshop's admin, who has a
    /// key and no sign-in.
    #[must_use]
    pub fn person(&self, id: &str) -> Option<&Arc<Member>> {
        self.people().find(|member| member.id == id)
    }

    /// Those who can sign in.
    pub fn people(&self) -> impl Iterator<Item = &Arc<Member>> {
        self.members
            .iter()
            .filter(|member| member.role == Role::Member)
    }

    /// The owner of the personal API key.
    #[must_use]
    pub fn admin(&self) -> Option<&Arc<Member>> {
        self.members
            .iter()
            .find(|member| member.role == Role::Admin)
    }

    /// The label with this id.
    #[must_use]
    pub fn label(&self, id: &str) -> Option<&Label> {
        self.labels.iter().find(|label| label.id == id)
    }

    /// The workflow state with this id.
    #[must_use]
    pub fn state(&self, id: &str) -> Option<&State> {
        self.states.iter().find(|state| state.id == id)
    }

    /// Where new issues start.
    #[must_use]
    pub fn first_state(&self) -> Option<&State> {
        self.states.iter().find(|state| state.kind == "backlog")
    }
}

/// An id that is the same in every lab, so that `.env` files and recordings stay true.
fn stable_id(kind: &str, name: &str) -> String {
    let hash = sha256(format!("hoptrail-lab {kind} {name}").as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    uuid::Builder::from_random_bytes(bytes)
        .into_uuid()
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::people::PEOPLE;

    #[test]
    fn two_workspaces_have_the_same_ids_and_no_id_twice() {
        let one = Workspace::new(PEOPLE, Team::default());
        let two = Workspace::new(PEOPLE, Team::default());
        assert_eq!(one.labels, two.labels);
        assert_eq!(one.members, two.members);
        let mut ids: Vec<_> = one
            .labels
            .iter()
            .map(|l| &l.id)
            .chain(one.states.iter().map(|s| &s.id))
            .chain(one.members.iter().map(|m| &m.id))
            .collect();
        let all = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), all);
    }

    #[test]
    fn nobody_signs_in_as_the_admin() {
        let workspace = Workspace::new(PEOPLE, Team::default());
        let admin = workspace.admin().unwrap();
        assert_eq!(admin.name, ADMIN_NAME);
        assert!(workspace.person(&admin.id).is_none());
        assert!(workspace.member(&admin.id).is_some());
    }
}
