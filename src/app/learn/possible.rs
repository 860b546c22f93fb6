//! Which of the chapters' commands can be carried out, and why the others cannot.

use super::{
    Ground, Learn,
    judge::{Lab, lab_chapter},
    mistakes::Mistakes,
};
use crate::{
    app::{
        App,
        command::{Availability, Command},
        focus::PaneId,
    },
    chapters::{Probe, Stage, Status},
    protocol::observed::ServedBy,
};

impl App {
    /// Whether the server is that of a lab in another process.
    fn is_elsewhere(&self) -> bool {
        let lab = self.projection.lab();
        self.projection.target().is_some_and(|target| target.lab)
            && lab.is_some_and(|lab| lab.served_by == ServedBy::Lab)
    }

    /// Why the lab of another process is not changed from here, and what to do instead.
    fn of_another_process(&self, learn: &Learn, command: Command) -> Availability {
        let stage = match command {
            Command::BeginChapter => learn.beginning(),
            _ => lab_chapter(learn.chapter()),
        };
        let start = format!("start it with --stage {stage}");
        let switch = self.keymap.shown(Command::TogglePolicy);
        let instead = if learn.chapter().stage == Stage::Limited && !switch.is_empty() {
            format!("{switch} switches its policy; {start}")
        } else {
            start
        };
        Availability::Unavailable(format!("another process's lab: {instead}"))
    }

    /// Whether a command of the chapters can be carried out now.
    pub(in crate::app) fn chapter_availability(&self, command: Command) -> Availability {
        let no = |why: String| Availability::Unavailable(why);
        let Some(learn) = &self.learn else {
            return no("there are no chapters here".to_owned());
        };
        if matches!(command, Command::Contents | Command::Show(PaneId::Chapter)) {
            return Availability::Ready;
        }
        if !learn.is_open() {
            let key = self.keymap.shown(Command::Show(PaneId::Chapter));
            return no(format!("no chapter is open: {key} opens the chapters"));
        }
        let blocked = |why: Option<&'static str>| Availability::unless(why);
        let target = self.projection.target();
        let is_lab = target.is_some_and(|target| target.lab);
        match command {
            Command::NextChapter => blocked(
                learn
                    .following()
                    .is_none()
                    .then_some("this is the last chapter"),
            ),
            Command::PreviousChapter => {
                blocked((learn.open == 0).then_some("this is the first chapter"))
            }
            Command::Hint => match learn.check_in_hand().and_then(|check| learn.shown(check)) {
                None => blocked(Some("every check of this chapter is done")),
                Some(shown) if shown.hints >= shown.hints_left_over().len() => {
                    blocked(Some("there are no more hints for this check"))
                }
                Some(_) => Availability::Ready,
            },
            Command::Answer => blocked(
                learn
                    .chapter()
                    .answer
                    .is_none()
                    .then_some("this chapter asks no question"),
            ),
            Command::Mistakes => blocked(match learn.mistakes() {
                _ if learn.chapter().mistakes.is_empty() => Some("this chapter names no mistakes"),
                Mistakes::Standing => Some("they stand at the end of the page"),
                Mistakes::Folded | Mistakes::Unfolded => None,
            }),
            Command::Vouch => {
                let shown = learn.check_in_hand().and_then(|check| learn.shown(check));
                let asks =
                    |probe: &Probe| !learn.results().is_some_and(|seen| seen.was_asked(probe));
                blocked(match shown.map(|shown| (shown.status, shown.check)) {
                    Some((Status::NotObservable { .. }, _)) => None,
                    Some((Status::Pending { .. }, check))
                        if !self.is_lab() && check.expect.probes().iter().any(asks) =>
                    {
                        let key = self.keymap.shown(Command::RunProbes);
                        return no(format!("it was not looked at yet: {key} asks first"));
                    }
                    Some(_) => Some("this check can be seen from here; no word is needed"),
                    None => Some("every check of this chapter is done"),
                })
            }
            Command::ReachEnd | Command::BeginChapter => {
                let is_own = learn.ground() == Ground::Own;
                // In the chapter of the rule no step is in anybody's folder.
                let is_of_the_zone = learn.chapter().stage == Stage::Limited;
                blocked(match target {
                    Some(_) if is_own && is_lab && (self.is_elsewhere() || is_of_the_zone) => {
                        return self.of_another_process(learn, command);
                    }
                    Some(_) if is_own || !is_lab => {
                        Some("this is your own server: do the steps in its folder")
                    }
                    None => Some("the lab has not started yet"),
                    Some(_)
                        if command == Command::ReachEnd
                            && self.lab() == Lab::At
                            && !self.has_console_fault() =>
                    {
                        Some("the lab is there already")
                    }
                    Some(_) => return self.unless_busy(),
                })
            }
            Command::RunProbes => {
                let asks = learn
                    .chapter()
                    .probes()
                    .iter()
                    .any(|probe| *probe != Probe::Env);
                if !asks {
                    blocked(Some(
                        "this chapter's checks see all they need by themselves",
                    ))
                } else if self.lab() == Lab::Before && !learn.is_work_the_readers_own() {
                    // Another server's answers would say nothing of this chapter's.
                    no(format!(
                        "the lab is not at this chapter yet: {} does the steps first",
                        self.keymap.shown(Command::ReachEnd)
                    ))
                } else {
                    self.unless_busy()
                }
            }
            Command::ConsoleWork => blocked(if !learn.has_console_work() {
                Some("this chapter has no work in the zone's console")
            } else if learn.ground() == Ground::Lab && (is_lab || target.is_none()) {
                None
            } else if is_lab {
                return self.of_another_process(learn, command);
            } else {
                Some("this is not the lab's zone: do it in your zone's console")
            }),
            Command::Whereabouts => blocked(
                (learn.ground() == Ground::Lab)
                    .then_some("this is the lab: the line under the title says where it is"),
            ),
            Command::Changes => blocked(
                learn
                    .moved()
                    .is_none()
                    .then_some("the lab was not brought anywhere yet"),
            ),
            _ => Availability::Ready,
        }
    }
}
