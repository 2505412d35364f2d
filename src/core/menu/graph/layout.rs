//! Where each screen of the storyboard stands. Layered from the top down in four steps, after Sugiyama: rows by distance from the
//! start, order within a row by where the neighbours are, places by moving each as near to its neighbours as the order
//! allows, and lines through the gaps that are kept for them.
//!
//! Drawn in full the moves would cover the screens, so a line is drawn only for a step forward, and an action is drawn
//! once, below the first row that asks for it. All other moves are told in words below their screen.

use std::collections::BTreeMap;

use super::rows::{returns, rows, targets};
use crate::core::menu::{Action, BACK_KEY, Menu, OptionTarget, ScreenKind};

/// How often order and places are improved. More changes nothing on menus of this size.
const ROUNDS: usize = 40;

/// What stands at a place.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Thing {
    /// The screen with this number, in the order of the file.
    Screen(usize),
    /// An action or a key, with the outcomes below it.
    Move(String),
    /// A gap through which a line passes a row.
    Bend,
}

/// A thing in its place.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub thing: Thing,
    /// Even: a row of screens; odd: the moves below it.
    pub layer: usize,
    /// The middle, in pixels from the left.
    pub x: f64,
    pub width: f64,
    /// Lines of one colour belong to one move.
    pub colour: usize,
}

/// A piece of a line, from one layer to the next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub from: usize,
    pub to: usize,
    pub colour: usize,
}

/// The whole picture.
pub(super) struct Layout {
    pub places: Vec<Place>,
    pub pieces: Vec<Piece>,
    /// By screen: what it can do beside the lines, in words.
    pub captions: Vec<Vec<String>>,
    pub layers: usize,
}

/// Widths in pixels that the drawing gives.
pub(super) struct Sizes {
    pub page: f64,
    pub screen: f64,
    pub letter: f64,
}

pub(super) fn lay_out(menu: &Menu, sizes: &Sizes) -> Layout {
    let ranks = rows(menu);
    let mut build = Builder {
        places: Vec::new(),
        pieces: Vec::new(),
        sizes,
        colours: 0,
    };
    for (number, rank) in ranks.iter().enumerate() {
        build.place(Thing::Screen(number), 2 * rank, sizes.screen, 0);
    }
    let captions = build.moves(menu, &ranks);
    let Builder { places, pieces, .. } = build;
    let layers = places.iter().map(|place| place.layer + 1).max().unwrap_or(0);
    let mut layout = Layout {
        places,
        pieces,
        captions,
        layers,
    };
    layout.arrange(sizes.page);
    layout
}

struct Builder<'a> {
    places: Vec<Place>,
    pieces: Vec<Piece>,
    sizes: &'a Sizes,
    colours: usize,
}

impl Builder<'_> {
    fn place(&mut self, thing: Thing, layer: usize, width: f64, colour: usize) -> usize {
        self.places.push(Place {
            thing,
            layer,
            x: 0.0,
            width,
            colour,
        });
        self.places.len() - 1
    }

    /// Draws every action below the first row that asks for it; tells the rest in words.
    fn moves(&mut self, menu: &Menu, ranks: &[usize]) -> Vec<Vec<String>> {
        let mut captions = vec![Vec::new(); ranks.len()];
        let mut drawn: BTreeMap<Action, (usize, usize)> = BTreeMap::new();
        let mut order: Vec<usize> = (0..ranks.len()).collect();
        order.sort_by_key(|screen| ranks[*screen]);
        let screens: Vec<_> = menu.screens().collect();
        for from in order {
            for (key, go) in screens[from].moves().filter(|(key, _)| *key != Some(BACK_KEY)) {
                let ahead: Vec<usize> = targets(menu, &go)
                    .into_iter()
                    .filter(|target| ranks[*target] > ranks[from])
                    .collect();
                let known = match &go {
                    OptionTarget::Action(action) => drawn.get(action).copied(),
                    OptionTarget::Screen(_) => None,
                };
                match (known, &go) {
                    (Some((place, rank)), _) if rank == ranks[from] => self.join(from, place),
                    (None, OptionTarget::Screen(_)) if !ahead.is_empty() => {
                        self.fan(from, key.map_or_else(String::new, String::from), &ahead, ranks);
                    }
                    (None, OptionTarget::Action(action)) if !ahead.is_empty() && !returns(*action) => {
                        let place = self.fan(from, action.word().to_owned(), &ahead, ranks);
                        drawn.insert(*action, (place, ranks[from]));
                    }
                    _ => captions[from].push(caption(menu, key, &go)),
                }
            }
        }
        for (screen, captions) in captions.iter_mut().enumerate() {
            if screens[screen].kind == ScreenKind::End && !self.pieces.iter().any(|piece| piece.to == screen) {
                captions.push(format!("key {BACK_KEY} leads here"));
            }
        }
        captions
    }

    fn join(&mut self, from: usize, to: usize) {
        let colour = self.places[to].colour;
        self.pieces.push(Piece { from, to, colour });
    }

    /// A move below its screen, with a line to each screen ahead; lines of one move share their bends.
    fn fan(&mut self, from: usize, label: String, ahead: &[usize], ranks: &[usize]) -> usize {
        let colour = self.colours;
        self.colours += 1;
        #[expect(clippy::cast_precision_loss, reason = "labels are a few letters long")]
        let width = label.chars().count() as f64 * self.sizes.letter + 16.0;
        let first = 2 * ranks[from] + 1;
        let place = self.place(Thing::Move(label), first, width, colour);
        self.pieces.push(Piece {
            from,
            to: place,
            colour,
        });
        let mut chain = vec![place];
        for target in ahead {
            while first + chain.len() < 2 * ranks[*target] {
                let bend = self.place(Thing::Bend, first + chain.len(), 2.0, colour);
                if let Some(above) = chain.last() {
                    self.pieces.push(Piece {
                        from: *above,
                        to: bend,
                        colour,
                    });
                }
                chain.push(bend);
            }
            let above = chain[2 * ranks[*target] - first - 1];
            self.pieces.push(Piece {
                from: above,
                to: *target,
                colour,
            });
        }
        place
    }
}

fn caption(menu: &Menu, key: Option<char>, go: &OptionTarget) -> String {
    let key = key.map_or_else(String::new, |key| format!("{key} "));
    match go {
        OptionTarget::Screen(target) => format!("{key}\u{2192} {target}"),
        OptionTarget::Action(action) if returns(*action) => format!("{key}{} \u{2192} where it stood", action.word()),
        OptionTarget::Action(action) => match menu.targets(go).as_slice() {
            [only] => format!("{key}{} \u{2192} {only}", action.word()),
            [first, ..] => format!("{key}{} \u{2192} {first} ..", action.word()),
            [] => format!("{key}{}", action.word()),
        },
    }
}

impl Layout {
    /// Orders each layer and gives every place its x.
    fn arrange(&mut self, page: f64) {
        let mut layers: Vec<Vec<usize>> = vec![Vec::new(); self.layers];
        for (index, place) in self.places.iter().enumerate() {
            layers[place.layer].push(index);
        }
        for layer in &layers {
            self.spread(layer, page, None);
        }
        let mut best = (usize::MAX, layers.clone());
        for round in 0..ROUNDS {
            self.sweep(&mut layers, round % 2 == 0, page);
            let crossings = self.crossings();
            if crossings < best.0 {
                best = (crossings, layers.clone());
            }
        }
        for layer in &best.1 {
            self.spread(layer, page, None);
        }
        for round in 0..ROUNDS {
            let down = round % 2 == 0;
            for step in 0..best.1.len() {
                let layer = if down { step } else { best.1.len() - 1 - step };
                let wanted: Vec<f64> = best.1[layer].iter().map(|index| self.pull(*index, None)).collect();
                self.spread(&best.1[layer], page, Some(&wanted));
            }
        }
    }

    /// Orders every layer by the middle of the neighbours in the layer before (or after, on the way up).
    fn sweep(&mut self, layers: &mut [Vec<usize>], down: bool, page: f64) {
        for step in 0..layers.len() {
            let layer = if down { step } else { layers.len() - 1 - step };
            let mut order: Vec<(f64, usize)> = layers[layer]
                .iter()
                .map(|index| (self.pull(*index, Some(down)), *index))
                .collect();
            order.sort_by(|left, right| left.0.total_cmp(&right.0));
            layers[layer] = order.iter().map(|(_, index)| *index).collect();
            let wanted: Vec<f64> = order.iter().map(|(x, _)| *x).collect();
            self.spread(&layers[layer], page, Some(&wanted));
        }
    }

    /// Where the neighbours draw a place: the mean of those above (`Some(true)`), below (`Some(false)`) or both. A line in
    /// passing weighs more, so that it runs straight.
    fn pull(&self, index: usize, above: Option<bool>) -> f64 {
        let mut sum = 0.0;
        let mut count = 0.0;
        for piece in &self.pieces {
            let (from, to) = (&self.places[piece.from], &self.places[piece.to]);
            let weight = match (&from.thing, &to.thing) {
                (Thing::Bend, Thing::Bend) => 8.0,
                (Thing::Bend, _) | (_, Thing::Bend) => 2.0,
                _ => 1.0,
            };
            if piece.to == index && above != Some(false) {
                sum += from.x * weight;
                count += weight;
            }
            if piece.from == index && above != Some(true) {
                sum += to.x * weight;
                count += weight;
            }
        }
        if count > 0.0 { sum / count } else { self.places[index].x }
    }

    fn crossings(&self) -> usize {
        let lines: Vec<(usize, f64, f64)> = self
            .pieces
            .iter()
            .map(|piece| {
                let (from, to) = (&self.places[piece.from], &self.places[piece.to]);
                (from.layer, from.x, to.x)
            })
            .collect();
        let mut count = 0;
        for (index, one) in lines.iter().enumerate() {
            for other in &lines[index + 1..] {
                if one.0 == other.0 && (one.1 - other.1) * (one.2 - other.2) < 0.0 {
                    count += 1;
                }
            }
        }
        count
    }

    /// Places a layer in its order: each thing as near to where it wants to be as the least squares allow without overlap,
    /// or evenly from left to right when nothing is wanted.
    fn spread(&mut self, layer: &[usize], page: f64, wanted: Option<&[f64]>) {
        let gap = |index: usize| {
            if self.places[index].thing == Thing::Bend {
                7.0
            } else {
                10.0
            }
        };
        let mut offsets = Vec::with_capacity(layer.len());
        let mut edge = 0.0;
        for index in layer {
            let half = self.places[*index].width / 2.0 + gap(*index);
            offsets.push(edge + half);
            edge += 2.0 * half;
        }
        let free = (page - edge).max(0.0);
        let places: Vec<f64> = match wanted {
            Some(wanted) => isotonic(
                &wanted
                    .iter()
                    .zip(&offsets)
                    .map(|(x, offset)| x - offset)
                    .collect::<Vec<_>>(),
            ),
            None => vec![free / 2.0; layer.len()],
        };
        for ((index, offset), slack) in layer.iter().zip(&offsets).zip(places) {
            self.places[*index].x = offset + slack.clamp(0.0, free);
        }
    }
}

/// The rising sequence nearest to this one in least squares: neighbours that fall are pooled into their mean.
fn isotonic(values: &[f64]) -> Vec<f64> {
    let mut pools: Vec<(f64, f64)> = Vec::new();
    for value in values {
        let mut pool = (*value, 1.0);
        while let Some(last) = pools.last().copied().filter(|last| last.0 > pool.0) {
            pools.pop();
            pool = ((last.0 * last.1 + pool.0 * pool.1) / (last.1 + pool.1), last.1 + pool.1);
        }
        pools.push(pool);
    }
    let mut rising = Vec::with_capacity(values.len());
    for (mean, weight) in pools {
        let mut left = weight;
        while left > 0.5 {
            rising.push(mean);
            left -= 1.0;
        }
    }
    rising
}
