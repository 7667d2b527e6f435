//! What was measured, in one list: Prometheus text for machines, JSON for people.

use std::borrow::Cow;
use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;
use serde_json::{Map, Value, json};

use crate::meter::{LATENCY_BOUNDS, LatencySnapshot};

/// The media type of [`Samples::to_text`].
pub(super) const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Labels of one sample. Values come from closed sets only: never an address, a socket or a user.
pub(super) type Labels = Vec<(&'static str, Cow<'static, str>)>;

/// A list of metrics, each with one sample for each set of labels. Names go without the prefix
/// `trolleybus_`, counters without `_total`.
#[derive(Debug, Default)]
pub struct Samples(Vec<Metric>);

#[derive(Debug)]
struct Metric {
    name: &'static str,
    help: &'static str,
    kind: MetricType,
    samples: Vec<(Labels, Number)>,
}

#[derive(Debug, Clone, Copy)]
enum Number {
    Count(u64),
    Fraction(f64),
    Latency(LatencySnapshot),
}

impl Samples {
    /// A number that only grows.
    pub fn counter(&mut self, name: &'static str, help: &'static str, labels: Labels, value: u64) {
        self.add((name, help, MetricType::Counter), labels, Number::Count(value));
    }

    /// A sum that only grows, in parts.
    pub fn fraction_counter(&mut self, name: &'static str, help: &'static str, value: f64) {
        self.add((name, help, MetricType::Counter), Labels::new(), Number::Fraction(value));
    }

    /// A number that grows and shrinks.
    pub fn gauge(&mut self, name: &'static str, help: &'static str, labels: Labels, value: u64) {
        self.add((name, help, MetricType::Gauge), labels, Number::Count(value));
    }

    /// A number that grows and shrinks, in parts.
    pub fn fraction_gauge(&mut self, name: &'static str, help: &'static str, value: f64) {
        self.add((name, help, MetricType::Gauge), Labels::new(), Number::Fraction(value));
    }

    /// How long things took, in seconds.
    pub fn latency(
        &mut self,
        name: &'static str,
        help: &'static str,
        labels: Labels,
        latency: &LatencySnapshot,
    ) {
        self.add((name, help, MetricType::Histogram), labels, Number::Latency(*latency));
    }

    fn add(
        &mut self,
        (name, help, kind): (&'static str, &'static str, MetricType),
        labels: Labels,
        number: Number,
    ) {
        match self.0.iter_mut().find(|metric| metric.name == name) {
            Some(metric) => metric.samples.push((labels, number)),
            None => self.0.push(Metric { name, help, kind, samples: vec![(labels, number)] }),
        }
    }

    /// The text that Prometheus reads.
    pub(super) fn into_text(self) -> Result<String, fmt::Error> {
        let mut registry = Registry::with_prefix("trolleybus");
        registry.register_collector(Box::new(self));
        let mut text = String::with_capacity(16 * 1024);
        text::encode(&mut text, &registry)?;
        Ok(text)
    }

    /// One field for each metric: a number, or a list of labelled ones.
    pub(super) fn to_json(&self) -> Value {
        let fields = self.0.iter().map(|metric| (metric.name.to_owned(), metric.to_json()));
        Value::Object(fields.collect())
    }
}

impl Metric {
    fn to_json(&self) -> Value {
        match self.samples.as_slice() {
            [(labels, number)] if labels.is_empty() => number.to_json(),
            samples => samples.iter().map(|(labels, number)| labelled(labels, *number)).collect(),
        }
    }
}

fn labelled(labels: &Labels, number: Number) -> Value {
    let mut object: Map<_, _> =
        labels.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    object.insert("value".to_owned(), number.to_json());
    Value::Object(object)
}

impl Number {
    fn to_json(self) -> Value {
        match self {
            Self::Count(count) => json!(count),
            Self::Fraction(value) => json!(value),
            Self::Latency(latency) => {
                let buckets = bounds().zip(latency.counts);
                let bound = |bound: f64| bound.is_finite().then_some(bound);
                let buckets: Vec<_> = buckets
                    .map(|(upper, count)| json!({ "up_to": bound(upper), "count": count }))
                    .collect();
                json!({ "sum_seconds": latency.sum.as_secs_f64(), "buckets": buckets })
            }
        }
    }

    fn encode(self, kind: MetricType, to: &mut MetricEncoder<'_>) -> fmt::Result {
        match (self, kind) {
            (Self::Latency(latency), _) => {
                let buckets: Vec<_> = bounds().zip(latency.counts).collect();
                let count = latency.counts.iter().sum();
                to.encode_histogram::<NoLabelSet>(latency.sum.as_secs_f64(), count, &buckets, None)
            }
            (Self::Count(count), MetricType::Counter) => {
                to.encode_counter::<NoLabelSet, _, f64>(&count, None)
            }
            (Self::Fraction(value), MetricType::Counter) => {
                to.encode_counter::<NoLabelSet, _, f64>(&value, None)
            }
            (Self::Count(count), _) => to.encode_gauge(&count),
            (Self::Fraction(value), _) => to.encode_gauge(&value),
        }
    }
}

fn bounds() -> impl Iterator<Item = f64> {
    LATENCY_BOUNDS.into_iter().chain([f64::INFINITY])
}

impl Collector for Samples {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for metric in &self.0 {
            let Metric { name, help, kind, samples } = metric;
            let mut to = encoder.encode_descriptor(name, help, None, *kind)?;
            for (labels, number) in samples {
                if labels.is_empty() {
                    number.encode(*kind, &mut to)?;
                } else {
                    number.encode(*kind, &mut to.encode_family(labels)?)?;
                }
            }
        }
        Ok(())
    }
}
