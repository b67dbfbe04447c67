#include "walk.hpp"

#include <algorithm>
#include <chrono>
#include <set>
#include <thread>

#include <poll.h>

#include <amphibus/receiver.hpp>
#include <amphibus/task.hpp>

#include "testing/conformance/scenario.hpp"

namespace combinations {
namespace {

using namespace amphibus;
using namespace std::chrono_literals;

constexpr std::size_t places = 4;
constexpr std::size_t body_size_bytes = 4096;  // so that the way between two processes is full after some thousands
constexpr auto block_timeout = 5ms;
/// After a first message that is in the handler's hand. With overflow::latest() the second `e` finds no place either,
/// and what was lost with it has to be told all the same.
constexpr std::string_view keys[] = {"a", "b", "c", "d", "e", "e", "a", "b", "c", "d"};
constexpr std::uint64_t more = std::size(keys);

struct reception {
  std::uint64_t number = 0;
  std::uint64_t lost_before = 0;
  std::size_t at_once = 1;
  std::thread::id where;
};

/// What the handler was given, in order.
class tape {
 public:
  void add(const reception& one) {
    state_.change([&] { all_.push_back(one); });
  }
  [[nodiscard]] std::vector<reception> all() {
    std::vector<reception> out;
    state_.change([&] { out = all_; });
    return out;
  }
  [[nodiscard]] std::size_t size() {
    std::size_t out = 0;
    state_.change([&] { out = all_.size(); });
    return out;
  }

 private:
  testing::watched state_;
  std::vector<reception> all_;
};

executor_choice executor_of(runner which, bus& in, const loop& here) {
  switch (which) {
    case runner::serial:
    case runner::nobody: return serial;
    case runner::dedicated: return dedicated;
    case runner::pool: return in.pool("workers", {.threads = 2});
    case runner::loop: return here;
    case runner::in_publisher: return inline_;
  }
  return serial;
}

overflow overflow_of(overflow_choice which) {
  switch (which) {
    case overflow_choice::block: return overflow::block(block_timeout);
    case overflow_choice::fail: return overflow::fail();
    case overflow_choice::drop_newest: return overflow::drop_newest();
    case overflow_choice::drop_oldest: return overflow::drop_oldest();
    case overflow_choice::latest: return overflow::latest();
  }
  return overflow::block();
}

/// One cell, from subscribing to the verdict. The handler stops at its first message until everything is overfilled;
/// where the handler runs on our thread, it handles the first and then is not run.
class visit {
 public:
  enum class measure { messages, bytes };

  visit(const cell& which, measure by, const testing::subject& from, testing::reporter& to)
      : cell_(which),
        measure_(by),
        wanted_(expected(which)),
        stops_(wanted_.runs_on != place::who_runs_the_loop && wanted_.runs_on != place::publisher &&
               wanted_.runs_on != place::who_pulls),
        in_hand_(stops_ ? 1 : 0),
        s_(from, to),
        writer_(s_.past().add_writer("out", std::string(testing::letters.name()))),
        out_(s_.at(0).publisher(testing::letters, limits(which))) {
    if (which.form == handler_form::message) return;  // without context there is nothing to judge but its numbers
    const auto owed =
        may_lose(wanted_.when_full) ? testing::history::duty::counted : testing::history::duty::everything;
    reader_ = s_.past().add_reader("it", std::string(testing::letters.name()), owed);
    if (wanted_.ordered_by_key) s_.past().orders_by_key(reader_, 0);
  }

  void run() {
    const auto refused = subscribe();
    s_.make_ready();
    if (refused || wanted_.refused) {
      return check(refused == wanted_.refused, refused ? "is refused with " + to_string(*refused) : "is not refused");
    }
    find_serial_thread();
    take_first();
    overfill();
    still_.open();
    wait_for(expected_calls().size());
    if (wanted_.when_full != fullness::never_full) s_.at(1).drain(testing::watched::patience);
    while (publish() == publish_status::would_block) std::this_thread::yield();
    const auto wanted = expected_calls();
    wait_for(wanted.size());
    compare(wanted, tape_.all());
    s_.judge();
    compare_counters(wanted.size());
  }

 private:
  using calls = std::vector<std::pair<std::uint64_t, std::uint64_t>>;  // number and lost_before

  static publisher_options limits(const cell& of) {
    return of.over == way::zeromq ? publisher_options{.wait_max = 1ms} : publisher_options{};
  }
  void check(bool holds, const std::string& what) {
    s_.check(holds, name_of(cell_) + (measure_ == measure::bytes ? ", in bytes: " : ": ") + what);
  }

  subscription_options options() {
    subscription_options out{
        .name = "it", .overflow = overflow_of(cell_.overflow), .on = executor_of(cell_.on, s_.at(1), loop_)};
    if (cell_.with == sharing::group) out.group = "group";
    if (cell_.with == sharing::lanes) out.concurrency = 2;
    if (measure_ == measure::bytes) {
      constexpr std::size_t units = 100;  // of each message
      out.capacity = places * units;
      out.capacity_bytes = places * (sizeof(detail::value_block<testing::letter>) + body_size_bytes + units);
    } else if (cell_.on != runner::in_publisher) {
      out.capacity = places;
    }
    return out;
  }
  [[nodiscard]] subscription_counters counters() const { return pulled_ ? pulled_->counters() : kept_.counters(); }

  /// Returns: the error that refused it.
  std::optional<error_code> subscribe() {
    if (cell_.form == handler_form::receiver || cell_.form == handler_form::coroutine) {
      try {
        pulled_.emplace(s_.at(1).receiver(testing::letters, options()));
      } catch (const error& why) {
        return why.code();
      }
      if (cell_.form == handler_form::coroutine) reading_.emplace(read(*pulled_));
      return std::nullopt;
    }
    auto made = subscribe_handler(options());
    if (!made) return made.error().code();
    kept_ = std::move(made).value();
    return std::nullopt;
  }

  task read(receiver<testing::letter>& from) {
    while (const auto next = co_await from.next()) {
      const auto with = next->with();
      take(**next, &with, 1);
    }
  }

  result<subscription> subscribe_handler(const subscription_options& with) {
    const auto& to = testing::letters;
    using testing::letter;
    if (cell_.form == handler_form::message) {
      return s_.at(1).try_subscribe(to, with, [this](const letter& got) { take(got, nullptr, 1); });
    }
    if (cell_.form == handler_form::message_and_context) {
      return s_.at(1).try_subscribe(to, with, [this](const letter& got, const context& of) { take(got, &of, 1); });
    }
    return s_.at(1).try_subscribe(to, with, [this](batch<letter> all) {
      for (std::size_t i = 0; i != all.size(); ++i) {
        const auto of = all.context(i);
        take(all[i], &of, all.size());
      }
    });
  }

  void take(const testing::letter& got, const context* with, std::size_t at_once) {
    tape_.add({got.name.number, with == nullptr ? 0 : with->lost_before(), at_once, std::this_thread::get_id()});
    if (with != nullptr) {
      s_.past().received(reader_, got.name,
                         {with->id(), with->correlation(), with->causation(), with->lost_before(), {}}, intact(got));
    }
    if (stops_) still_.pass();
  }

  void find_serial_thread() {
    auto probe = s_.at(1).subscribe(testing::side_notes, [this](const testing::note&) {
      probed_.change([this] { serial_ = std::this_thread::get_id(); });
    });
    s_.at(1).publish(testing::side_notes, {});
    check(probed_.wait([this] { return serial_ != std::thread::id(); }), "the serial executor does not run");
  }

  publish_status publish(std::string_view key = {}) {
    const testing::message_name name{writer_, ++count_};
    const auto answer = out_.publish(testing::make<testing::letter>(name, body_size_bytes), {.key = key});
    s_.past().published(name, answer);
    if (answer == publish_status::accepted) accepted_.push_back(count_);
    return answer;
  }

  void take_first() {
    check(publish("first") == publish_status::accepted, "the first message is not accepted");
    if (stops_) return check(still_.wait_for_visitor(), "the handler does not run");
    wait_for(1);
  }

  void overfill() {
    switch (wanted_.when_full) {
      case fullness::waits:
      case fullness::refuses: return fill_places();
      case fullness::waits_at_border: return fill_the_way();
      case fullness::never_full: return call_inside();
      case fullness::passes_by:
      case fullness::throws_out_oldest:
      case fullness::replaces_its_key: return lose();
    }
  }

  void fill_places() {
    for (std::size_t i = in_hand_; i != places; ++i) {
      check(publish() == publish_status::accepted, "a message with room is not accepted");
    }
    const auto begin = std::chrono::steady_clock::now();
    check(publish() == publish_status::would_block, "a message without room is not refused");
    const bool waited = std::chrono::steady_clock::now() - begin >= block_timeout;
    if (wanted_.when_full == fullness::waits) check(waited, "the publish did not wait for room");
  }

  void fill_the_way() {
    while (publish() == publish_status::accepted) {
    }
    check(accepted_.size() > places, "what waits outside is not accepted");
    const bool bounded = counters().pending <= places;
    check(bounded, "more messages are inside than there are places");
  }

  void call_inside() {
    for (std::uint64_t i = 0; i != more; ++i) {
      check(publish() == publish_status::accepted && tape_.size() == count_, "publish returned before the handler ran");
    }
  }

  void lose() {
    for (const std::string_view key : keys) {
      check(publish(key) == publish_status::accepted, "a message without room is not accepted");
    }
    const bool all_there = s_.eventually([&] {
      const auto now = counters();
      return now.pending + now.dropped + now.replaced == in_hand_ + more;
    });
    check(all_there, "not every message is waiting, dropped or replaced");
  }

  void wait_for(std::size_t count) {
    const auto all_there = [&] { return tape_.size() >= count; };
    const bool arrived = cell_.on == runner::loop     ? run_loop_until(count)
                         : cell_.on == runner::nobody ? pull_until(count)
                                                      : s_.eventually(all_there);
    check(arrived, std::to_string(tape_.size()) + " messages arrived instead of " + std::to_string(count));
  }

  [[nodiscard]] bool run_loop_until(std::size_t count) {
    constexpr int patience_ms = 30'000;
    pollfd work{loop_.fd(), POLLIN, 0};
    while (tape_.size() < count) {
      if (::poll(&work, 1, patience_ms) == 0) return false;
      loop_.run_until_idle();
    }
    return true;
  }

  [[nodiscard]] bool pull_until(std::size_t count) {
    while (tape_.size() < count) {
      const auto next = pulled_->next_for(testing::watched::patience);
      if (!next) return false;
      const auto with = next->with();
      take(**next, &with, 1);
    }
    return true;
  }

  /// What the handler has to have been called with by now, if everything that may be lost was lost.
  [[nodiscard]] calls expected_calls() const {
    const std::uint64_t tail = more + 2;
    calls out{{1, 0}};
    switch (wanted_.when_full) {
      case fullness::passes_by: {
        const std::uint64_t last = 1 + places - in_hand_;
        for (std::uint64_t number = 2; number <= last; ++number) out.emplace_back(number, 0);
        if (count_ == tail) out.emplace_back(tail, tail - last - 1);
        return out;
      }
      case fullness::throws_out_oldest:
        for (std::uint64_t number = tail - places; number != tail; ++number) {
          out.emplace_back(number, number == tail - places ? more - places : 0);
        }
        if (count_ == tail) out.emplace_back(tail, 0);
        return out;
      case fullness::replaces_its_key:  // 8 to 11 replace 2 to 5; 6 and 7 found no place
        for (std::uint64_t number = 8; number != tail; ++number) out.emplace_back(number, number == 8 ? 3 : 1);
        if (count_ == tail) out.emplace_back(tail, 0);
        return out;
      default: break;
    }
    out.clear();
    for (const std::uint64_t number : accepted_) out.emplace_back(number, 0);
    return out;
  }

  void compare(const calls& wanted, const std::vector<reception>& got) {
    calls seen;
    std::set<std::thread::id> threads;
    std::size_t at_once = 0;
    for (const reception& each : got) {
      seen.emplace_back(each.number, each.lost_before);
      threads.insert(each.where);
      at_once = std::max(at_once, each.at_once);
    }
    calls comparable = wanted;
    if (cell_.form == handler_form::message) {
      for (auto& [number, lost] : comparable) lost = 0;
    }
    if (wanted_.ordered_by_key) std::sort(seen.begin(), seen.end());
    check(seen == comparable, "the handler got " + text_of(seen) + " instead of " + text_of(comparable));
    // Of what is shared out, each may find one message at a time.
    check(wanted_.many_at_once ? at_once > 1 || wanted_.ordered_by_key : at_once == 1,
          "the longest call had " + std::to_string(at_once) + " messages");
    const std::size_t threads_max = wanted_.runs_on == place::pool_thread || cell_.with == sharing::lanes ? 2 : 1;
    const bool right = std::all_of(threads.begin(), threads.end(), [this](auto each) { return is_right(each); });
    check(right && threads.size() <= threads_max, "the handler ran on another thread than stated");
  }

  [[nodiscard]] bool is_right(std::thread::id where) const {
    const auto here = std::this_thread::get_id();
    switch (wanted_.runs_on) {
      case place::serial_thread: return where == serial_;
      case place::own_thread:
      case place::pool_thread: return where != serial_ && where != here;
      case place::who_runs_the_loop:
      case place::publisher:
      case place::who_pulls: return where == here;
    }
    return false;
  }

  static std::string text_of(const calls& which) {
    constexpr std::size_t shown_max = 20;
    std::string out;
    for (std::size_t i = 0; i != std::min(which.size(), shown_max); ++i) {
      out += (i == 0 ? "" : " ") + std::to_string(which[i].first);
      if (which[i].second != 0) out += "(" + std::to_string(which[i].second) + " lost)";
    }
    return out + " [" + std::to_string(which.size()) + "]";
  }

  /// After the end, when everything is told.
  void compare_counters(std::size_t handled) {
    const auto counted = counters();
    check(counted.handled == handled, std::to_string(counted.handled) + " messages are counted as handled");
    check(counted.handled + counted.dropped + counted.replaced == accepted_.size(),
          "handled, dropped and replaced do not add up to what was accepted");
    check(s_.told(event_kind::dropped) == counted.dropped, "the events tell of another number of drops");
    check((counted.replaced != 0) == (wanted_.when_full == fullness::replaces_its_key),
          "what was replaced is miscounted");
  }

  const cell cell_;
  const measure measure_;
  const outcome wanted_;
  const bool stops_;
  const std::uint64_t in_hand_;
  testing::scenario s_;
  testing::gate still_;
  testing::watched probed_;
  std::thread::id serial_;
  tape tape_;
  loop loop_;
  const std::uint32_t writer_;
  std::uint32_t reader_ = 0;
  std::uint64_t count_ = 0;
  std::vector<std::uint64_t> accepted_;
  publisher<testing::letter> out_;
  subscription kept_;
  std::optional<receiver<testing::letter>> pulled_;
  std::optional<task> reading_;
};

/// A subscription that comes when there is a history, and what it is given then.
class late_visit {
 public:
  late_visit(const start_cell& which, const testing::subject& from, testing::reporter& to)
      : cell_(which), s_(from, to) {}

  void run() {
    const auto refused = subscribe();
    const auto wanted = expected(cell_);
    if (refused || wanted) {
      s_.check(refused == wanted, name_of(cell_) + (refused ? ": is refused with " + to_string(*refused)
                                                            : std::string(": is not refused")));
      return;
    }
    check_got(history);
    for (std::uint64_t i = 0; i != live; ++i) {
      s_.at(0).publish(kept, testing::make<testing::letter>({0, ++published_}), {.key = key_of(published_)});
      check_got(published_);
    }
  }

 private:
  static constexpr topic<testing::letter> kept{"conformance.main.kept_letters", retain::history(100)};
  static constexpr std::uint64_t history = 9;
  static constexpr std::uint64_t live = 3;
  static std::string key_of(std::uint64_t number) { return "key-" + std::to_string(number % 3); }

  /// Returns: the error that refused the topic or the subscription.
  std::optional<error_code> subscribe() {
    const cell& what = cell_.what;
    subscription_options with{.capacity = places,
                              .overflow = overflow_of(what.overflow),
                              .on = executor_of(what.on, s_.at(1), loop_),
                              .start = start::history(100)};
    if (what.with == sharing::group) with.group = "group";
    if (what.with == sharing::lanes) with.concurrency = 2;
    try {
      while (published_ != history) {
        s_.at(0).publish(kept, testing::make<testing::letter>({0, ++published_}), {.key = key_of(published_)});
      }
      subscribe_as(what.form, with);
    } catch (const error& why) {
      return why.code();
    }
    return std::nullopt;
  }
  void subscribe_as(handler_form form, const subscription_options& with) {
    bus& b = s_.at(1);
    using testing::letter;
    switch (form) {
      case handler_form::message:
        subscribed_ = b.subscribe(kept, with, [this](const letter& got) { add(got); });
        return;
      case handler_form::message_and_context:
        subscribed_ = b.subscribe(kept, with, [this](const letter& got, const context&) { add(got); });
        return;
      case handler_form::batch:
        subscribed_ = b.subscribe(kept, with, [this](batch<letter> all) {
          for (const letter& each : all) add(each);
        });
        return;
      case handler_form::coroutine:
      case handler_form::receiver: pulled_.emplace(b.receiver(kept, with));
    }
    if (form == handler_form::coroutine) reading_.emplace(read(*pulled_));
  }
  task read(receiver<testing::letter>& from) {
    while (const auto next = co_await from.next()) add(**next);
  }
  void add(const testing::letter& got) {
    changed_.change([&] {
      ++count_;
      std::uint64_t& last = last_of_[cell_.what.with == sharing::alone ? 0 : got.name.number % 3];
      ordered_ = ordered_ && got.name.number > last;
      last = got.name.number;
    });
  }
  void check_got(std::uint64_t count) {
    if (cell_.what.on == runner::loop) loop_.run_until_idle();
    while (cell_.what.form == handler_form::receiver) {
      const auto next = pulled_->try_next();
      if (!next) break;
      add(**next);
    }
    const bool there = changed_.wait([&] { return count_ >= count; });
    s_.check(s_.at(1).drain(testing::watched::patience).complete(), name_of(cell_) + ": is not handled to the end");
    s_.check(there && count_ == count && ordered_, name_of(cell_) + ": " + std::to_string(count_) +
                                                       " messages instead of " + std::to_string(count) +
                                                       (ordered_ ? "" : ", out of order"));
  }

  const start_cell cell_;
  testing::scenario s_;
  testing::watched changed_;
  std::uint64_t published_ = 0;
  std::uint64_t count_ = 0;
  std::uint64_t last_of_[3] = {};
  bool ordered_ = true;
  loop loop_;
  subscription subscribed_;
  std::optional<receiver<testing::letter>> pulled_;
  std::optional<task> reading_;
};

}  // namespace

void walk(const cell& which, const testing::subject& joined, testing::reporter& to) {
  static const testing::subject alone = testing::in_process();
  const testing::subject& from = which.over == way::zeromq ? joined : alone;
  visit(which, visit::measure::messages, from, to).run();
  // inline_ has no inbox, and latest has one message per key.
  if (which.on == runner::in_publisher || which.overflow == overflow_choice::latest) return;
  visit(which, visit::measure::bytes, from, to).run();
}

void walk(const start_cell& which, const testing::subject& joined, testing::reporter& to) {
  static const testing::subject alone = testing::in_process();
  late_visit(which, which.what.over == way::zeromq ? joined : alone, to).run();
}

void walk(const level_cell& which, testing::reporter& to) {
  const std::string text =
      "[process.a]\nmodules = [\"m\"]\nendpoint = \"ipc:///tmp/a\"\n[[route]]\ntopic = \"t.>\"\ntransport = \"" +
      std::string(which.over == way::zeromq ? "zeromq" : "inproc") + "\"\nlevel = \"" + std::string(which.level) +
      "\"\n";
  const auto read = config::load_text(text, "levels.toml", {.modules = {"m"}, .transports = {"zeromq"}});
  const auto refused = expected(which);
  const bool as_stated = refused ? read.errors.size() == 1 && read.errors[0].code() == *refused : read.errors.empty();
  if (!as_stated) to.failed(name_of(which) + ": the file is not read as stated");
}

}  // namespace combinations
