//! On which row of the storyboard each screen stands.

use std::collections::BTreeMap;

use crate::core::menu::{Action, Menu, OptionTarget, Screen, ScreenKind};

/// The most screens side by side.
const ACROSS: usize = 5;

/// Whether an action leads to wherever the person stood, which is no step forward.
pub(super) fn returns(action: Action) -> bool {
    matches!(action, Action::Home | Action::PickLanguage | Action::Resume)
}

fn number(menu: &Menu, id: &str) -> usize {
    menu.screens().position(|screen| screen.id == id).unwrap_or(0)
}

pub(super) fn targets(menu: &Menu, go: &OptionTarget) -> Vec<usize> {
    menu.targets(go).into_iter().map(|id| number(menu, id)).collect()
}

/// The row of each screen: its distance from the start, which screens that only a redial shows share; ends come last.
/// A crowd at one distance is drawn out into several rows, each below what leads to it.
pub(super) fn rows(menu: &Menu) -> Vec<usize> {
    let steps = steps(menu);
    let mut levels: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (screen, level) in distances(menu, &steps).into_iter().enumerate() {
        levels.entry(level).or_default().push(screen);
    }
    let mut rows: Vec<Vec<usize>> = Vec::new();
    let mut closed = true;
    for (level, screens) in levels {
        // What was drawn out last may share its row with what comes next: neither leads to the other within a distance.
        if !closed && level != usize::MAX && rows.last().is_some_and(|row| row.len() + screens.len() <= ACROSS) {
            rows.last_mut().into_iter().for_each(|row| row.extend(&screens));
            closed = true;
        } else if screens.len() <= ACROSS {
            rows.push(screens);
            closed = true;
        } else if level == usize::MAX {
            let share = screens.len().div_ceil(screens.len().div_ceil(ACROSS));
            rows.extend(screens.chunks(share).map(<[usize]>::to_vec));
        } else {
            rows.extend(drawn_out(menu, &screens, &steps));
            closed = false;
        }
    }
    let mut ranks = vec![0; steps.len()];
    for (rank, row) in rows.iter().enumerate() {
        for screen in row {
            ranks[*screen] = rank;
        }
    }
    lift(menu, &steps, &mut ranks);
    ranks
}

/// By screen: where its steps lead, leaving out those that return.
fn steps(menu: &Menu) -> Vec<Vec<usize>> {
    let onward = |go: &OptionTarget| !matches!(go, OptionTarget::Action(action) if returns(*action));
    menu.screens()
        .map(|screen| {
            screen
                .moves()
                .filter(|(_, go)| onward(go))
                .flat_map(|(_, go)| targets(menu, &go))
                .collect()
        })
        .collect()
}

/// Steps from the start, 0 for what no step leads to, and the largest number for screens that end the dialog.
fn distances(menu: &Menu, steps: &[Vec<usize>]) -> Vec<usize> {
    let mut depth: Vec<Option<usize>> = vec![None; steps.len()];
    depth[number(menu, &menu.start)] = Some(0);
    for level in 0..steps.len() {
        for screen in 0..steps.len() {
            if depth[screen] == Some(level) {
                for target in &steps[screen] {
                    depth[*target].get_or_insert(level + 1);
                }
            }
        }
    }
    let far = |screen: &Screen| if screen.kind == ScreenKind::End { usize::MAX } else { 0 };
    menu.screens()
        .zip(depth)
        .map(|(screen, depth)| far(screen).max(depth.unwrap_or(0)))
        .collect()
}

/// Rows of a crowd: each screen below those before it in the file that lead to it, unless both do the same.
fn drawn_out(menu: &Menu, crowd: &[usize], steps: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let screens: Vec<_> = menu.screens().collect();
    let own = |screen: usize| match screens[screen].kind {
        ScreenKind::List { pick: action, .. } | ScreenKind::Input(action) => Some(action),
        ScreenKind::Choices | ScreenKind::End => None,
    };
    let alike = |one: usize, other: usize| own(one).is_some() && own(one) == own(other);
    let mut rows: Vec<Vec<usize>> = Vec::new();
    let mut ranks: BTreeMap<usize, usize> = BTreeMap::new();
    for screen in crowd {
        let above = ranks
            .iter()
            .filter(|(other, _)| steps[**other].contains(screen) && !alike(**other, *screen));
        let rank = above.map(|(_, rank)| rank + 1).max().unwrap_or(0);
        ranks.insert(*screen, rank);
        if rows.len() <= rank {
            rows.resize(rank + 1, Vec::new());
        }
        rows[rank].push(*screen);
    }
    rows.into_iter()
        .flat_map(|row| row.chunks(ACROSS).map(<[usize]>::to_vec).collect::<Vec<_>>())
        .collect()
}

/// Moves each screen up to just below the lowest that leads to it, where there is room.
fn lift(menu: &Menu, steps: &[Vec<usize>], ranks: &mut [usize]) {
    let ends: Vec<bool> = menu.screens().map(|screen| screen.kind == ScreenKind::End).collect();
    for screen in (0..ranks.len()).filter(|screen| !ends[*screen]) {
        let above = (0..ranks.len()).filter(|from| steps[*from].contains(&screen) && ranks[*from] < ranks[screen]);
        let Some(lowest) = above.map(|from| ranks[from]).max() else {
            continue;
        };
        if ranks.iter().filter(|rank| **rank == lowest + 1).count() < ACROSS {
            ranks[screen] = lowest + 1;
        }
    }
}
