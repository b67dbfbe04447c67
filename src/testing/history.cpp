#include <amphibus/testing/history.hpp>

#include <algorithm>
#include <chrono>
#include <optional>
#include <set>

#include <amphibus/base/assert.hpp>

namespace amphibus::testing {
namespace {

constexpr std::size_t runs_shown_max = 6;

/// `7, 12 to 14`; the first few runs.
std::string runs_of(const std::vector<std::uint64_t>& numbers) {
  std::string out;
  std::size_t runs = 0;
  for (std::size_t i = 0; i < numbers.size(); ++runs) {
    std::size_t last = i;
    while (last + 1 < numbers.size() && numbers[last + 1] == numbers[last] + 1) ++last;
    if (runs == runs_shown_max) return out + ", and so on";
    out += (out.empty() ? "" : ", ") + std::to_string(numbers[i]);
    if (last != i) out += " to " + std::to_string(numbers[last]);
    i = last + 1;
  }
  return out;
}

std::string quoted(const std::string& name) { return "\"" + name + "\""; }

}  // namespace

const char* to_string(history_fault_kind kind) noexcept {
  switch (kind) {
    case history_fault_kind::loss: return "loss";
    case history_fault_kind::phantom: return "phantom";
    case history_fault_kind::duplicate: return "duplicate";
    case history_fault_kind::reordering: return "reordering";
    case history_fault_kind::altered: return "altered";
    case history_fault_kind::wrong_context: return "wrong context";
    case history_fault_kind::wrong_count: return "wrong count";
  }
  return "unknown";
}

std::string to_string(const history_fault& what) { return std::string(to_string(what.kind)) + ": " + what.text; }

/// One pass over a history; collects faults per reader and writer, so that a thousand losses are one sentence.
class history::judge {
 public:
  explicit judge(const history& of) : history_(of) {}

  std::vector<history_fault> all() {
    for (const reader_record& each : history_.readers_) look_at(each);
    look_at_contexts();
    return std::move(faults_);
  }

 private:
  /// What one reader got from one writer.
  struct stream {
    std::set<std::uint64_t> seen;
    std::uint64_t first = 0;
    std::uint64_t highest = 0;
    std::map<std::uint64_t, std::uint64_t> highest_of_key;
    std::uint64_t told = 0;  // sum of lost_before
  };
  using numbers = std::vector<std::uint64_t>;

  void look_at(const reader_record& by) {
    std::map<std::uint32_t, stream> streams;
    std::map<std::pair<history_fault_kind, std::uint32_t>, numbers> found;
    for (const reception& each : by.receptions) {
      const auto [writer, number] = each.what;
      const auto note = [&, writer = writer, number = number](history_fault_kind kind) {
        found[{kind, writer}].push_back(number);
      };
      if (!each.intact) note(history_fault_kind::altered);
      if (is_phantom(by, each.what)) {
        note(history_fault_kind::phantom);
        continue;
      }
      stream& of = streams[writer];
      if (of.first == 0) of.first = number;
      of.told += each.with.lost_before;
      const bool again = !of.seen.insert(number).second;
      if (again) note(history_fault_kind::duplicate);
      if (by.keys != 0) {
        std::uint64_t& last = of.highest_of_key[number % by.keys];
        if (!again && number < last) note(history_fault_kind::reordering);
        last = std::max(last, number);
      }
      of.highest = std::max(of.highest, number);
    }
    const auto missing_by_writer = look_for_losses(by, streams, found);
    for (auto& [key, which] : found) accuse(key.first, by, key.second, std::move(which));
    std::uint64_t told = 0;
    missing sum;
    for (const auto& [writer, those] : missing_by_writer) {
      const std::uint64_t told_here = streams[writer].told;
      if (by.owed == duty::counted_by_writer) look_at_count(by, find(writer), told_here, those);
      told += told_here;
      sum.before_last += those.before_last;
      sum.at_all += those.at_all;
    }
    if (by.owed != duty::counted_by_writer) look_at_count(by, nullptr, told, sum);
  }

  [[nodiscard]] const writer_record* find(std::uint32_t index) const {
    return index == 0 || index > history_.writers_.size() ? nullptr : &history_.writers_[index - 1];
  }
  [[nodiscard]] const written* find(message_name what) const {
    const writer_record* const by = find(what.writer);
    if (by == nullptr) return nullptr;
    const auto found = by->messages.find(what.number);
    return found == by->messages.end() ? nullptr : &found->second;
  }

  [[nodiscard]] bool is_phantom(const reader_record& by, message_name what) const {
    const written* const one = find(what);
    return one == nullptr || one->answer != publish_status::accepted || find(what.writer)->topic != by.topic;
  }

  /// How many messages a reader has not: before the last that it got of that writer, and at all.
  struct missing {
    std::uint64_t before_last = 0;
    std::uint64_t at_all = 0;
  };
  /// Counts what is missing and notes losses of readers that may not lose.
  std::map<std::uint32_t, missing> look_for_losses(
      const reader_record& by, const std::map<std::uint32_t, stream>& streams,
      std::map<std::pair<history_fault_kind, std::uint32_t>, numbers>& found) const {
    std::map<std::uint32_t, missing> out;
    for (std::uint32_t index = 1; index <= history_.writers_.size(); ++index) {
      const writer_record& from = *find(index);
      if (from.topic != by.topic) continue;
      const auto known = streams.find(index);
      const stream* const got = known == streams.end() ? nullptr : &known->second;
      const auto begin = by.begins.find(index);
      std::uint64_t first = begin == by.begins.end() ? 1 : begin->second;
      if (by.owed == duty::suffix) first = got == nullptr ? UINT64_MAX : std::max(first, got->first);
      const auto end = by.ends.find(index);
      missing& those = out[index];
      for (auto each = from.messages.lower_bound(first); each != from.messages.end(); ++each) {
        if (end != by.ends.end() && each->first >= end->second) break;
        if (each->second.answer != publish_status::accepted) continue;
        if (got != nullptr && got->seen.contains(each->first)) continue;
        if (!may_lose(by)) found[{history_fault_kind::loss, index}].push_back(each->first);
        ++those.at_all;
        if (got != nullptr && each->first < got->highest) ++those.before_last;
      }
    }
    return out;
  }

  [[nodiscard]] static bool may_lose(const reader_record& by) {
    return by.owed == duty::counted || by.owed == duty::counted_by_writer;
  }

  /// It has to have been told of everything missing before its last message, and of nothing that is not missing. What
  /// was dropped behind messages that still waited may be told with one of these. `of`: null for all writers together.
  void look_at_count(const reader_record& by, const writer_record* of, std::uint64_t told, const missing& those) {
    if (by.owed == duty::suffix && those.at_all == 0) return;
    if (those.before_last <= told && told <= those.at_all) return;
    const std::string whose = of == nullptr ? "" : " of writer " + quoted(of->name);
    add(history_fault_kind::wrong_count, by.name, of == nullptr ? "" : of->name, told,
        "reader " + quoted(by.name) + " was told of " + std::to_string(told) + " lost messages" + whose +
            "; missing are " + std::to_string(those.before_last) + " before its last one and " +
            std::to_string(those.at_all) + " at all");
  }

  void accuse(history_fault_kind kind, const reader_record& by, std::uint32_t writer, numbers which) {
    const writer_record* const from = find(writer);
    const std::string name = from == nullptr ? "nobody (" + std::to_string(writer) + ")" : from->name;
    std::sort(which.begin(), which.end());
    const char* verb = " has not ";
    switch (kind) {
      case history_fault_kind::loss: break;
      case history_fault_kind::phantom: verb = " got what it must not get: "; break;
      case history_fault_kind::duplicate: verb = " got again "; break;
      case history_fault_kind::reordering: verb = " got too late "; break;
      default: verb = " got altered "; break;
    }
    add(kind, by.name, from == nullptr ? "" : name, which.size(),
        "reader " + quoted(by.name) + verb + std::to_string(which.size()) + " of writer " + quoted(name) + ": " +
            runs_of(which));
  }

  void add(history_fault_kind kind, std::string reader, std::string writer, std::uint64_t count, std::string text) {
    faults_.push_back({kind, std::move(reader), std::move(writer), count, std::move(text)});
  }

  /// Ids must agree between readers, differ between messages, and keep a writer's source and order.
  void look_at_contexts() {
    for (const reader_record& by : history_.readers_) {
      for (const reception& each : by.receptions) {
        if (find(each.what) != nullptr) learn(by, each);
      }
    }
    for (const reader_record& by : history_.readers_) {
      for (const reception& each : by.receptions) {
        if (find(each.what) != nullptr) look_at_cause(by, each);
      }
    }
    look_at_sequences();
  }

  void look_at_sequences() {
    for (auto one = ids_.begin(), next = one; one != ids_.end(); one = next) {
      if (++next == ids_.end() || next->first.writer != one->first.writer) continue;
      if (one->second.sequence < next->second.sequence) continue;
      const std::string& writer = find(one->first.writer)->name;
      add(history_fault_kind::wrong_context, "", writer, 1,
          "the ids of writer " + quoted(writer) + " do not ascend: message " + std::to_string(one->first.number) +
              " is " + to_string(one->second) + ", message " + std::to_string(next->first.number) + " is " +
              to_string(next->second));
    }
  }

  void learn(const reader_record& by, const reception& one) {
    const auto [known, first] = ids_.emplace(one.what, one.with.id);
    if (!first) {
      if (known->second != one.with.id) accuse_context(by, one, "has another id elsewhere");
      return;
    }
    if (!one.with.id) accuse_context(by, one, "has no id");
    if (!owners_.emplace(one.with.id, one.what).second) accuse_context(by, one, "has the id of another message");
    const auto [source, fresh] = sources_.emplace(one.what.writer, one.with.id.source);
    if (!fresh && source->second != one.with.id.source) accuse_context(by, one, "has another source than its writer");
  }

  void look_at_cause(const reader_record& by, const reception& one) {
    const message_name cause = find(one.what)->cause;
    if (cause.number == 0) {
      if (one.with.causation) accuse_context(by, one, "has a causation, but no handler published it");
      if (one.with.correlation != one.with.id) accuse_context(by, one, "began a conversation of another message");
      return;
    }
    const auto expected = ids_.find(cause);
    if (expected != ids_.end() && one.with.causation != expected->second) {
      accuse_context(by, one, "names another message as its causation");
    }
    const auto root = ids_.find(root_of(cause));
    if (root != ids_.end() && one.with.correlation != root->second) {
      accuse_context(by, one, "names another message as its correlation");
    }
  }

  [[nodiscard]] message_name root_of(message_name what) const {
    for (const written* one = find(what); one != nullptr && one->cause.number != 0; one = find(what)) what = one->cause;
    return what;
  }

  void accuse_context(const reader_record& by, const reception& one, const std::string& why) {
    constexpr std::size_t shown_max = 20;
    if (++contexts_ > shown_max) return;
    const std::string& writer = find(one.what.writer)->name;
    add(history_fault_kind::wrong_context, by.name, writer, 1,
        "at reader " + quoted(by.name) + " message " + std::to_string(one.what.number) + " of writer " +
            quoted(writer) + " (" + to_string(one.with.id) + ") " + why);
  }

  const history& history_;
  std::vector<history_fault> faults_;
  std::map<message_name, message_id> ids_;
  std::map<message_id, message_name> owners_;
  std::map<std::uint32_t, source_id> sources_;
  std::size_t contexts_ = 0;
};

std::uint32_t history::add_writer(std::string name, std::string topic) {
  const std::lock_guard lock(mutex_);
  writers_.push_back({std::move(name), std::move(topic), {}});
  return static_cast<std::uint32_t>(writers_.size());
}

std::uint32_t history::add_reader(std::string name, std::string topic, duty owed) {
  const std::lock_guard lock(mutex_);
  readers_.push_back({std::move(name), std::move(topic), owed, 1, {}, {}, {}});
  return static_cast<std::uint32_t>(readers_.size());
}

void history::orders_by_key(std::uint32_t reader, std::uint64_t keys) {
  const std::lock_guard lock(mutex_);
  AMPHIBUS_ASSERT(reader != 0 && reader <= readers_.size(), "a reader that was not added");
  readers_[reader - 1].keys = keys;
}

void history::begins_with(std::uint32_t reader, message_name first) {
  const std::lock_guard lock(mutex_);
  AMPHIBUS_ASSERT(reader != 0 && reader <= readers_.size(), "a reader that was not added");
  readers_[reader - 1].begins[first.writer] = first.number;
}

void history::ends_before(std::uint32_t reader, message_name first_after) {
  const std::lock_guard lock(mutex_);
  AMPHIBUS_ASSERT(reader != 0 && reader <= readers_.size(), "a reader that was not added");
  readers_[reader - 1].ends[first_after.writer] = first_after.number;
}

void history::published(message_name what, publish_status answer, message_name cause) {
  const std::lock_guard lock(mutex_);
  AMPHIBUS_ASSERT(what.writer != 0 && what.writer <= writers_.size(), "a writer that was not added");
  writers_[what.writer - 1].messages[what.number] = {answer, cause};
}

void history::received(std::uint32_t reader, message_name what, const wire::envelope& with, bool intact) {
  {
    const std::lock_guard lock(mutex_);
    AMPHIBUS_ASSERT(reader != 0 && reader <= readers_.size(), "a reader that was not added");
    readers_[reader - 1].receptions.push_back({what, with, intact});
  }
  changed_.notify_all();
}

bool history::wait_for(std::uint32_t reader, std::uint64_t count, base::duration limit) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_until(lock, std::chrono::steady_clock::now() + limit,
                             [&] { return readers_[reader - 1].receptions.size() >= count; });
}

std::uint64_t history::received_count(std::uint32_t reader) const {
  const std::lock_guard lock(mutex_);
  return readers_[reader - 1].receptions.size();
}

std::uint64_t history::last_received(std::uint32_t reader, std::uint32_t writer) const {
  const std::lock_guard lock(mutex_);
  std::uint64_t last = 0;
  for (const reception& each : readers_[reader - 1].receptions) {
    if (each.what.writer == writer) last = std::max(last, each.what.number);
  }
  return last;
}

std::uint64_t history::answered(std::uint32_t writer, publish_status answer) const {
  const std::lock_guard lock(mutex_);
  const auto& all = writers_[writer - 1].messages;
  return static_cast<std::uint64_t>(
      std::count_if(all.begin(), all.end(), [&](const auto& each) { return each.second.answer == answer; }));
}

std::vector<history_fault> history::verdict() const {
  const std::lock_guard lock(mutex_);
  return judge(*this).all();
}

}  // namespace amphibus::testing
