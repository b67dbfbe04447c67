// Every way to publish: many at once, in place, with key and headers.
#include "cases.hpp"
#include "scenario.hpp"

#include <algorithm>
#include <map>
#include <string>

namespace amphibus::testing {
namespace {

using namespace std::chrono_literals;

/// A subscription that takes batches and records each message of them.
class batch_reader {
 public:
  batch_reader(scenario& in, std::size_t process, const topic<note>& to, const reader_options& options)
      : index_(in.past().add_reader(std::string(options.name), std::string(to.name()), options.owed)),
        kept_(in.at(process).subscribe(
            to, {.name = options.name, .capacity = options.capacity, .overflow = options.overflow, .on = options.on},
            [&past = in.past(), index = index_](batch<note> all) {
              for (std::size_t i = 0; i != all.size(); ++i) {
                const auto with = all.context(i);
                past.received(index, name_of(all[i]),
                              {with.id(), with.correlation(), with.causation(), with.lost_before(), {}},
                              intact(all[i]));
              }
            })) {}
  [[nodiscard]] std::uint32_t index() const noexcept { return index_; }

 private:
  const std::uint32_t index_;
  subscription kept_;
};

/// Batches of every size into inboxes that hold few: what is accepted is a prefix, the rest is repeated.
void batches_in_order(const subject& of, reporter& to) {
  constexpr std::uint64_t all = 20'000;
  scenario s(of, to);
  batch_reader many(s, 1, notes, {.name = "many at once", .capacity = 16});
  reader<note> single(s, 1, notes, {.name = "one by one", .capacity = 16});
  batch_reader lossy(
      s, 1, notes,
      {.name = "lossy", .capacity = 16, .overflow = overflow::drop_newest(), .owed = history::duty::counted_by_writer});
  reader<note> here(s, 0, notes, {.name = "here"});
  auto out = s.at(0).publisher(notes, {.wait_max = 1ms});
  const std::uint32_t index = s.past().add_writer("batches", std::string(notes.name()));
  s.make_ready();
  for (std::uint64_t next = 1; next <= all;) {
    std::vector<note> some;
    for (std::uint64_t i = next; i <= std::min(all, next + next % 100); ++i) some.push_back(make<note>({index, i}));
    const batch_status answer = out.publish_batch(std::span<const note>(some));
    s.check(answer.accepted_prefix == some.size() || answer.status == publish_status::would_block,
            std::string("a batch ended early with ") + to_string(answer.status));
    for (std::size_t i = 0; i != answer.accepted_prefix; ++i) {
      s.past().published({index, next++}, publish_status::accepted);
    }
  }
  for (const std::uint32_t each : {many.index(), single.index(), here.index()}) s.wait_for(each, all);
  s.judge();
}

/// What is built in place arrives like what is handed over, also if it was refused at first.
void loans_arrive(const subject& of, reporter& to) {
  constexpr std::uint64_t all = 500;
  scenario s(of, to);
  reader<letter> there(s, 1, letters, {.name = "there", .capacity = 4});
  reader<letter> here(s, 0, letters, {.name = "here"});
  auto out = s.at(0).publisher(letters);
  const std::uint32_t index = s.past().add_writer("loans", std::string(letters.name()));
  s.make_ready();
  for (std::uint64_t i = 1; i <= all; ++i) {
    const message_name name{index, i};
    auto next = out.loan();
    *next = make<letter>(name, i * 37 % 5'000);
    publish_status answer = next.try_publish();
    while (answer == publish_status::would_block) answer = next.publish();
    s.past().published(name, answer);
    { auto given_back = out.loan(make<letter>({index, 0}, 100)); }
  }
  s.wait_for(there.index(), all);
  s.wait_for(here.index(), all);
  s.judge();
}

struct description {
  std::string key;
  std::vector<std::pair<std::string, std::string>> headers;
  message_id correlation;
  friend bool operator==(const description&, const description&) = default;
};

std::vector<description> descriptions() {
  std::string every_byte;
  for (int i = 0; i != 256; ++i) every_byte += static_cast<char>(i);
  std::vector<description> out{
      {},
      {.key = "k"},
      {.key = std::string(255, 'k')},
      {.key = "ключ-鍵-🔑"},
      {.key = std::string("zero\0inside", 11), .headers = {{"trace", "00-1"}}},
      {.headers = {{"größe", "Übergröße ⛵"}, {"empty", ""}, {"größe", "twice"}}},
      {.headers = {{"every byte", every_byte}}},
      {.headers = std::vector<std::pair<std::string, std::string>>(64, {"n", "v"})},
      {.headers = {{std::string(255, 'n'), "longest name"}}},
      // 16 KiB together: 2 for the key's size, 4 for the sizes of a header and 1 for its name.
      {.headers = {{"n", std::string(16'384 - 7, 'v')}}},
      {.key = "mine", .headers = {{"a", "b"}}, .correlation = {{11, 22}, 33}},
      {.correlation = {{UINT64_MAX, 1}, 2}},
  };
  return out;
}
/// Each is over one limit.
std::vector<description> too_large_descriptions() {
  return {
      {.key = std::string(256, 'k')},
      {.headers = {{"", "without a name"}}},
      {.headers = {{std::string(256, 'n'), "v"}}},
      {.headers = std::vector<std::pair<std::string, std::string>>(65, {"n", "v"})},
      {.headers = {{"n", std::string(16'384 - 6, 'v')}}},
      {.headers = {{"n", std::string(100'000, 'v')}}},
  };
}

publish_status publish_described(publisher<note>& by, const note& message, const description& with) {
  std::vector<header> headers;
  for (const auto& [name, value] : with.headers) headers.push_back({name, value});
  return by.publish(message, {.key = with.key, .headers = headers, .correlation = with.correlation});
}

description described(const context& with) {
  description out{.key = std::string(with.key()), .headers = {}, .correlation = with.correlation()};
  for (std::size_t i = 0; i != with.header_count(); ++i) {
    out.headers.emplace_back(with.header_at(i).name, with.header_at(i).value);
  }
  if (out.correlation == with.id()) out.correlation = {};
  return out;
}

/// Key, headers and correlation are there as they were given, and what is over a limit reaches nobody.
void described_messages(const subject& of, reporter& to) {
  constexpr std::uint64_t rounds = 20;
  scenario s(of, to);
  watched state;
  std::map<std::uint64_t, description> seen;
  auto there = s.at(1).subscribe(notes, [&](const note& got, const context& with) {
    state.change([&] { seen.emplace(got.number, described(with)); });
  });
  auto out = s.at(0).publisher(notes);
  s.make_ready();
  std::uint64_t number = 0;
  std::map<std::uint64_t, description> sent;
  for (std::uint64_t round = 0; round != rounds; ++round) {
    for (const description& each : descriptions()) {
      const auto answer = publish_described(out, make<note>({1, ++number}), each);
      s.check(answer == publish_status::accepted,
              "a message within the limits is answered " + std::string(to_string(answer)));
      sent.emplace(number, each);
    }
    for (const description& each : too_large_descriptions()) {
      const auto answer = publish_described(out, make<note>({1, 1'000'000}), each);
      s.check(answer == publish_status::too_large,
              "a message over a limit is answered " + std::string(to_string(answer)));
    }
  }
  s.check(state.wait([&] { return seen.size() >= sent.size(); }), "not every message arrives");
  s.judge();
  for (const auto& [which, wanted] : sent) {
    s.check(seen[which] == wanted, "key, headers or correlation of message " + std::to_string(which) + " are others");
  }
  s.check(seen.size() == sent.size(), "a message over a limit arrives");
}

}  // namespace

case_list publishing_cases() {
  using enum case_scope;
  const std::vector<bool promise::*> lossless{&promise::lossless_while_connected};
  return {
      {"batches of publishes keep their order", {"order", "loss"}, lossless, everywhere, batches_in_order},
      {"loans arrive like what is published", {"content"}, lossless, everywhere, loans_arrive},
      {"key, headers and correlation arrive as they were given", {"content"}, lossless, everywhere, described_messages},
  };
}

}  // namespace amphibus::testing
