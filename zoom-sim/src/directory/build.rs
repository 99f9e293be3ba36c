//! Makes a directory from a plan and a seed.

use chrono_tz::Tz;

use super::{
    Device, Directory, Hours, Member, Overflow, Queue, Receptionist, RingMode, Seat, SeatKind, Site, names,
    numbers,
};
use crate::dice::Dice;

/// Which account to pretend.
#[derive(Debug, Clone)]
pub enum DirectoryPlan {
    /// Two offices, six queues, 24 people and two common area phones.
    Demo,
    /// The demo's account with opening hours: weekdays from eight to six, but for the night desk.
    Office,
    /// One office, two queues, five people: small enough to follow by hand.
    Small,
    /// Generated to size.
    Sized {
        /// How many queues.
        queues: usize,
        /// How many people.
        people: usize,
        /// Calls from outside into all queues together, per hour at demand 1.
        calls_per_hour: f64,
    },
    /// Made by the caller.
    Given(Box<Directory>),
}

impl DirectoryPlan {
    pub(crate) fn build(&self, seed: u64) -> Directory {
        let mut builder = Builder { dice: Dice::new(seed, 11), directory: empty(), numbers: 0 };
        match self {
            Self::Given(directory) => return (**directory).clone(),
            Self::Demo => builder.demo(),
            Self::Office => builder.office(),
            Self::Small => builder.small(),
            Self::Sized { queues, people, calls_per_hour } => {
                builder.sized(*queues, *people, *calls_per_hour)
            }
        }
        builder.directory
    }
}

fn empty() -> Directory {
    Directory { sites: Vec::new(), seats: Vec::new(), queues: Vec::new(), receptionists: Vec::new() }
}

struct Builder {
    dice: Dice,
    directory: Directory,
    numbers: usize,
}

impl Builder {
    fn site(&mut self, name: &str, zone: Tz, country: (&'static str, &'static str)) -> usize {
        let site = Site { id: self.dice.id(), name: name.to_owned(), zone, country };
        self.directory.sites.push(site);
        self.directory.sites.len() - 1
    }

    fn number_at(&mut self, site: usize) -> String {
        self.numbers += 1;
        numbers::own(self.directory.sites[site].country.0, self.numbers)
    }

    fn person(&mut self, first: &str, last: &str, extension_number: i64, site: usize, department: &str) {
        let dice = &mut self.dice;
        // About a third have a desk phone beside the app, and a desk phone does not name itself.
        let mut devices = vec![app(dice)];
        if dice.chance(0.35) {
            devices.push(desk_phone(dice));
        }
        // One person in eight has clients of which none ever names itself.
        if dice.chance(0.125) {
            devices.iter_mut().for_each(|device| device.names_itself = false);
        }
        let direct_number = self.dice.chance(0.7).then(|| self.number_at(site));
        let dice = &mut self.dice;
        let mail = |text: &str| -> String {
            text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase()
        };
        let email = format!("{}.{}.{extension_number}@callboard.example", mail(first), mail(last));
        self.directory.seats.push(Seat {
            kind: SeatKind::Person {
                first_name: first.to_owned(),
                last_name: last.to_owned(),
                email,
                department: department.to_owned(),
                phone_user_id: dice.id(),
            },
            id: dice.id(),
            extension_id: dice.id(),
            extension_number,
            name: format!("{first} {last}"),
            direct_number,
            site,
            devices,
            announces_warm_transfers: dice.chance(0.6),
        });
    }

    fn common_area(&mut self, name: &str, extension_number: i64, site: usize) -> usize {
        let id = self.dice.id();
        let mut phone = desk_phone(&mut self.dice);
        phone.name = name.to_owned();
        self.directory.seats.push(Seat {
            kind: SeatKind::CommonArea,
            // A common area's extension id equals its id, unlike a person's.
            extension_id: id.clone(),
            id,
            extension_number,
            name: name.to_owned(),
            direct_number: None,
            site,
            devices: vec![phone],
            announces_warm_transfers: false,
        });
        self.directory.seats.len() - 1
    }

    /// A queue with usual settings, to be changed by the caller.
    fn queue(&mut self, name: &str, extension_number: i64, site: usize, members: &[usize]) -> &mut Queue {
        let number = self.number_at(site);
        let members = members
            .iter()
            .enumerate()
            .map(|(index, &seat)| Member { seat, manager: index == 0, receive_call: true })
            .collect();
        self.directory.queues.push(Queue {
            id: self.dice.id(),
            extension_id: self.dice.id(),
            extension_number,
            name: name.to_owned(),
            number,
            number_id: self.dice.id(),
            site,
            zone: self.directory.sites[site].zone,
            ring_mode: RingMode::Simultaneous,
            ring_seconds: 20.0,
            greeting_seconds: 4.0,
            max_wait_seconds: 300.0,
            max_waiting: 60,
            wrap_up_seconds: 10.0,
            rings_busy_members: false,
            hours: Hours::Always,
            overflow: Overflow::Voicemail,
            members,
            calls_per_hour: 60.0,
            patience_seconds: 150.0,
            talk_seconds: 90.0,
        });
        self.directory.queues.last_mut().expect("a queue was just added")
    }

    fn receptionist(&mut self, name: &str, extension_number: i64, site: usize) {
        let number = self.number_at(site);
        self.directory.receptionists.push(Receptionist {
            id: self.dice.id(),
            extension_id: self.dice.id(),
            extension_number,
            name: name.to_owned(),
            number,
            number_id: self.dice.id(),
            site,
        });
    }

    fn demo(&mut self) {
        let leeds = self.site("Leeds", Tz::Europe__London, ("GB", "United Kingdom"));
        let denver = self.site("Denver", Tz::America__Denver, ("US", "United States"));
        for (index, (first, last)) in names::DEMO.into_iter().enumerate() {
            let site = if index % 2 == 0 { leeds } else { denver };
            let department =
                ["Accounts", "Support", "Order desk", "Order desk", "Sales", "Support"][index / 4];
            self.person(first, last, 2001 + index as i64, site, department);
        }
        let gate = self.common_area("Gatehouse phone", 2101, leeds);
        let workshop = self.common_area("Workshop phone", 2102, denver);
        self.receptionist("Welcome menu Leeds", 700, leeds);
        self.receptionist("Welcome menu Denver", 701, denver);

        let billing = self.queue("Billing", 801, leeds, &[0, 1, 2, 3, 4, 20]);
        (billing.calls_per_hour, billing.talk_seconds, billing.overflow) = (76.0, 100.0, Overflow::Queue(2));
        billing.max_wait_seconds = 100.0;
        let support = self.queue("Technical support", 802, denver, &[4, 5, 6, 7, 20, 21, 22, 23]);
        support.ring_mode = RingMode::LongestIdle;
        (support.calls_per_hour, support.talk_seconds, support.patience_seconds) = (102.0, 120.0, 220.0);
        (support.ring_seconds, support.wrap_up_seconds, support.rings_busy_members) = (15.0, 15.0, true);
        let orders = self.queue("Orders", 803, leeds, &[8, 9, 10, 11, 12, 13]);
        orders.ring_mode = RingMode::Rotating;
        (orders.calls_per_hour, orders.talk_seconds, orders.overflow) = (104.0, 80.0, Overflow::Queue(3));
        (orders.ring_seconds, orders.max_wait_seconds, orders.rings_busy_members) = (12.0, 110.0, true);
        let returns = self.queue("Returns", 804, leeds, &[12, 13, 14, 15]);
        returns.ring_mode = RingMode::Sequential;
        (returns.calls_per_hour, returns.talk_seconds, returns.ring_seconds) = (54.0, 75.0, 12.0);
        (returns.max_wait_seconds, returns.rings_busy_members) = (80.0, true);
        let night = self.queue("Night desk", 805, denver, &[16, gate, workshop]);
        (night.calls_per_hour, night.talk_seconds, night.overflow) = (22.0, 60.0, Overflow::Disconnect);
        (night.patience_seconds, night.wrap_up_seconds) = (70.0, 0.0);
        let sales = self.queue("Sales", 806, denver, &[16, 17, 18, 19, 11]);
        (sales.calls_per_hour, sales.talk_seconds, sales.patience_seconds) = (62.0, 100.0, 120.0);
    }

    fn office(&mut self) {
        self.demo();
        for queue in self.directory.queues.iter_mut().filter(|queue| queue.name != "Night desk") {
            queue.hours = Hours::Weekdays { from_minute: 8 * 60, to_minute: 18 * 60 };
        }
    }

    fn small(&mut self) {
        let site = self.site("Main office", Tz::Europe__London, ("GB", "United Kingdom"));
        for (index, (first, last)) in names::DEMO.into_iter().take(5).enumerate() {
            self.person(first, last, 1001 + index as i64, site, "Service");
        }
        self.receptionist("Front menu", 700, site);
        let help = self.queue("Help", 801, site, &[0, 1, 2]);
        help.overflow = Overflow::Queue(1);
        help.calls_per_hour = 60.0;
        let backup = self.queue("Backup", 802, site, &[2, 3]);
        backup.ring_mode = RingMode::Rotating;
        backup.calls_per_hour = 20.0;
    }

    fn sized(&mut self, queues: usize, people: usize, calls_per_hour: f64) {
        const ZONES: [(&str, Tz, (&str, &str)); 4] = [
            ("North", Tz::Europe__London, ("GB", "United Kingdom")),
            ("West", Tz::America__Denver, ("US", "United States")),
            ("Coast", Tz::America__Los_Angeles, ("US", "United States")),
            ("East", Tz::America__New_York, ("US", "United States")),
        ];
        let (queues, people) = (queues.max(1), people.max(1));
        for (name, zone, country) in ZONES {
            self.site(name, zone, country);
        }
        for index in 0..people {
            let (first, last) = names::somebody(&mut self.dice);
            self.person(first, last, 20_001 + index as i64, index % ZONES.len(), "Service");
        }
        for (site, (name, ..)) in ZONES.into_iter().enumerate() {
            self.receptionist(&format!("Menu {name}"), 700 + site as i64, site);
        }
        // Each queue has its own people plus two borrowed from the next one, so that members belong to
        // several queues at the seams.
        let share = (people / queues).max(2);
        for index in 0..queues {
            let members: Vec<usize> = {
                let mut seats: Vec<usize> = (0..share + 2).map(|n| (index * share + n) % people).collect();
                seats.sort_unstable();
                seats.dedup();
                seats
            };
            let rate = calls_per_hour / queues as f64 * self.dice.between(0.4, 1.6);
            let overflow =
                if index % 3 == 0 { Overflow::Queue((index + 1) % queues) } else { Overflow::Voicemail };
            let queue =
                self.queue(&format!("Queue {:03}", index + 1), 5001 + index as i64, index % 4, &members);
            queue.ring_mode =
                [RingMode::Rotating, RingMode::LongestIdle, RingMode::Simultaneous, RingMode::Sequential]
                    [index % 4];
            (queue.calls_per_hour, queue.overflow, queue.talk_seconds) = (rate, overflow, 180.0);
        }
    }
}

fn app(dice: &mut Dice) -> Device {
    let kind =
        *dice.pick(&["MAC_Client(6.4.1.9182)", "Windows_Client(6.4.6.2210)", "IPHONE_Client(6.4.0.771)"]);
    Device { id: dice.id(), name: "Zoom Workplace".to_owned(), kind: kind.to_owned(), names_itself: true }
}

fn desk_phone(dice: &mut Dice) -> Device {
    let kind = *dice.pick(&["Yealink T54W(96.86.0.70)", "Poly VVX 450(6.4.3.5156)"]);
    Device { id: dice.id(), name: "Desk phone".to_owned(), kind: kind.to_owned(), names_itself: false }
}
