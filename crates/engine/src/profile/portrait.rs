//! A shopper profile as one paragraph for people, in English or Chinese.
//!
//! It says nothing that the other parts of the profile do not say, and is made from them.

use super::interests::Interest;
use super::shopper::ShopperProfile;
use text::is_han;

/// The language of a paragraph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tongue {
    English,
    Chinese,
}

impl Tongue {
    /// The language of most of these titles.
    pub fn of<'a>(titles: impl Iterator<Item = &'a str>) -> Self {
        let (mut han, mut other) = (0_usize, 0_usize);
        for title in titles {
            // A few Han characters say as much as many letters.
            let characters = title.chars().filter(|&c| is_han(c)).count();
            match characters * 3 > title.chars().count() {
                true => han += 1,
                false => other += 1,
            }
        }
        match han > other {
            true => Self::Chinese,
            false => Self::English,
        }
    }
}

/// The paragraph.
pub(crate) fn portrait(profile: &ShopperProfile, tongue: Tongue) -> String {
    let sentences = match tongue {
        Tongue::English => english(profile),
        Tongue::Chinese => chinese(profile),
    };
    match tongue {
        Tongue::English => sentences.join(" "),
        Tongue::Chinese => sentences.concat(),
    }
}

fn english(profile: &ShopperProfile) -> Vec<String> {
    let mut said = vec![format!(
        "Known since {}, last seen on {}.",
        day(&profile.first_seen),
        day(&profile.last_seen)
    )];
    if let Some(robot) = &profile.robot_since {
        said.push(format!("A program, found out on {}.", day(robot)));
    }
    if let Some(bought) = &profile.purchases {
        let often = match bought.days_between_orders {
            Some(days) if days >= 1.0 => format!(", about every {days:.0} days"),
            _ => String::new(),
        };
        let orders = if bought.orders == 1 {
            "order"
        } else {
            "orders"
        };
        said.push(format!(
            "{} {orders} worth {:.2} in all, {:.2} each{often}; the last one {:.0} days ago.",
            bought.orders, bought.spend, bought.spend_per_order, bought.days_since_last
        ));
    }
    let interests = &profile.interests;
    if let Some(list) = named(&interests.categories, ", ") {
        said.push(format!("Mostly interested in {list}."));
    }
    if let Some(list) = named(&interests.brands, ", ") {
        said.push(format!("Favourite brands: {list}."));
    }
    if let Some(list) = named(&interests.words, ", ") {
        said.push(format!("Words that come up: {list}."));
    }
    if let Some(band) = &profile.price_band {
        said.push(format!(
            "Usually pays {:.2} to {:.2} a piece.",
            band.p10, band.p90
        ));
    }
    if let Some(query) = profile.queries.first() {
        said.push(format!("Searched last for “{}”.", query.text));
    }
    if let Some(due) = profile
        .buy_again
        .iter()
        .find(|due| due.interval_days.is_some())
    {
        let title = due.title.as_deref().unwrap_or(&due.item_id);
        let days = due.interval_days.unwrap_or_default();
        said.push(format!("Buys {title} again about every {days:.0} days."));
    }
    if !profile.likes.is_empty() || !profile.dislikes.is_empty() {
        said.push(format!(
            "Said of {} items to like them, of {} to dislike them.",
            profile.likes.len(),
            profile.dislikes.len()
        ));
    }
    if let Some(hour) = busiest(&profile.hours.by_hour) {
        said.push(format!("Comes mostly around {hour}:00 (UTC)."));
    }
    said
}

fn chinese(profile: &ShopperProfile) -> Vec<String> {
    let mut said = vec![format!(
        "首次出现于{}，最近一次出现于{}。",
        day(&profile.first_seen),
        day(&profile.last_seen)
    )];
    if let Some(robot) = &profile.robot_since {
        said.push(format!("于{}被识别为程序。", day(robot)));
    }
    if let Some(bought) = &profile.purchases {
        let often = match bought.days_between_orders {
            Some(days) if days >= 1.0 => format!("，约每{days:.0}天一单"),
            _ => String::new(),
        };
        said.push(format!(
            "共下{}单，合计{:.2}，平均每单{:.2}{often}；上一单在{:.0}天前。",
            bought.orders, bought.spend, bought.spend_per_order, bought.days_since_last
        ));
    }
    let interests = &profile.interests;
    if let Some(list) = named(&interests.categories, "、") {
        said.push(format!("主要关注：{list}。"));
    }
    if let Some(list) = named(&interests.brands, "、") {
        said.push(format!("偏爱品牌：{list}。"));
    }
    if let Some(list) = named(&interests.words, "、") {
        said.push(format!("常见词语：{list}。"));
    }
    if let Some(band) = &profile.price_band {
        said.push(format!("单价通常在{:.2}到{:.2}之间。", band.p10, band.p90));
    }
    if let Some(query) = profile.queries.first() {
        said.push(format!("最近搜索过“{}”。", query.text));
    }
    if let Some(due) = profile
        .buy_again
        .iter()
        .find(|due| due.interval_days.is_some())
    {
        let title = due.title.as_deref().unwrap_or(&due.item_id);
        let days = due.interval_days.unwrap_or_default();
        said.push(format!("大约每{days:.0}天会再次购买{title}。"));
    }
    if !profile.likes.is_empty() || !profile.dislikes.is_empty() {
        said.push(format!(
            "明确喜欢{}件商品，不喜欢{}件。",
            profile.likes.len(),
            profile.dislikes.len()
        ));
    }
    if let Some(hour) = busiest(&profile.hours.by_hour) {
        said.push(format!("多在{hour}点前后访问（UTC）。"));
    }
    said
}

/// The three strongest; nothing when there is none.
fn named(interests: &[Interest], between: &str) -> Option<String> {
    let names: Vec<&str> = interests
        .iter()
        .take(3)
        .map(|interest| interest.value.as_str())
        .collect();
    (!names.is_empty()).then(|| names.join(between))
}

/// The date of an RFC 3339 time.
fn day(time: &str) -> &str {
    time.get(..10).unwrap_or(time)
}

fn busiest(by_hour: &[u16]) -> Option<usize> {
    let most = by_hour.iter().max().filter(|&&most| most > 0)?;
    by_hour.iter().position(|count| count == most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_tell_the_language() {
        let of = |titles: &[&str]| Tongue::of(titles.iter().copied());
        assert_eq!(of(&["Red lantern", "灯笼"]), Tongue::English);
        assert_eq!(
            of(&["日式和风懒人沙发", "MUJI 羊毛毯", "Lamp"]),
            Tongue::Chinese
        );
        assert_eq!(of(&[]), Tongue::English);
    }
}
