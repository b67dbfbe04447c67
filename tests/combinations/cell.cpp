#include "cell.hpp"

namespace combinations {
namespace {

fullness fullness_of(const cell& of) noexcept {
  if (of.on == runner::in_publisher && of.over == way::in_the_process) return fullness::never_full;
  switch (of.overflow) {
    case overflow_choice::block: return of.over == way::zeromq ? fullness::waits_at_border : fullness::waits;
    case overflow_choice::fail: return of.over == way::zeromq ? fullness::waits_at_border : fullness::refuses;
    case overflow_choice::drop_newest: return fullness::passes_by;
    case overflow_choice::drop_oldest: return fullness::throws_out_oldest;
    case overflow_choice::latest: return fullness::replaces_its_key;
  }
  return fullness::waits;
}

place place_of(const cell& of) noexcept {
  switch (of.on) {
    case runner::serial: return place::serial_thread;
    case runner::dedicated: return place::own_thread;
    case runner::pool: return place::pool_thread;
    case runner::loop: return place::who_runs_the_loop;
    case runner::nobody: return place::who_pulls;
    // No user code runs on a transport's thread: the serial executor stands in for the publisher.
    case runner::in_publisher: return of.over == way::zeromq ? place::serial_thread : place::publisher;
  }
  return place::serial_thread;
}

bool runs_one_at_a_time(runner which) noexcept { return which == runner::serial || which == runner::loop; }

bool is_refused(const cell& of) noexcept {
  using enum overflow_choice;
  const bool is_receiver = of.form == handler_form::coroutine || of.form == handler_form::receiver;
  if (is_receiver && (of.on == runner::in_publisher || of.with != sharing::alone)) return true;
  if (of.with == sharing::alone) return of.on == runner::in_publisher && of.overflow != block;
  // What is handed out to several cannot be thrown out any more; what is called has no inbox.
  if (of.overflow == drop_oldest || of.overflow == latest) return true;
  if (of.on == runner::in_publisher) return true;
  return of.with == sharing::lanes && runs_one_at_a_time(of.on);
}

}  // namespace

std::vector<cell> all_cells() {
  using enum overflow_choice;
  using enum runner;
  using enum handler_form;
  std::vector<cell> out;
  const auto add = [&](sharing with, overflow_choice overflow, runner on, handler_form form) {
    for (const auto over : {way::in_the_process, way::zeromq}) out.push_back({overflow, on, form, over, with});
  };
  for (const auto with : {sharing::alone, sharing::group, sharing::lanes}) {
    for (const auto overflow : {block, fail, drop_newest, drop_oldest, latest}) {
      for (const auto on : {serial, dedicated, pool, loop, in_publisher}) {
        for (const auto form : {message, message_and_context, batch, coroutine}) add(with, overflow, on, form);
      }
      add(with, overflow, nobody, receiver);
    }
  }
  return out;
}

outcome expected(const cell& of) {
  outcome out;
  if (is_refused(of)) {
    out.refused = amphibus::error_code::bad_option;
    return out;
  }
  out.when_full = fullness_of(of);
  out.runs_on = place_of(of);
  out.told_by_context = may_lose(out.when_full) && of.form != handler_form::message;
  out.ordered_by_key = of.with != sharing::alone;
  out.many_at_once = of.form == handler_form::batch && of.on != runner::in_publisher;
  return out;
}

bool may_lose(fullness when_full) noexcept {
  return when_full == fullness::passes_by || when_full == fullness::throws_out_oldest ||
         when_full == fullness::replaces_its_key;
}

std::string name_of(const cell& which) {
  std::string out;
  for (const auto part : {name_of(which.overflow), name_of(which.on), name_of(which.form), name_of(which.over)}) {
    out += (out.empty() ? "" : ", ") + std::string(part);
  }
  return which.with == sharing::alone ? out : out + ", " + std::string(name_of(which.with));
}

std::string_view name_of(overflow_choice which) noexcept {
  switch (which) {
    case overflow_choice::block: return "block";
    case overflow_choice::fail: return "fail";
    case overflow_choice::drop_newest: return "drop_newest";
    case overflow_choice::drop_oldest: return "drop_oldest";
    case overflow_choice::latest: return "latest";
  }
  return "unknown";
}

std::string_view name_of(runner which) noexcept {
  switch (which) {
    case runner::serial: return "serial";
    case runner::dedicated: return "dedicated";
    case runner::pool: return "a pool";
    case runner::loop: return "a loop";
    case runner::in_publisher: return "inline_";
    case runner::nobody: return "nobody";
  }
  return "unknown";
}

std::string_view name_of(handler_form which) noexcept {
  switch (which) {
    case handler_form::message: return "(const T&)";
    case handler_form::message_and_context: return "(const T&, const context&)";
    case handler_form::batch: return "(batch<T>)";
    case handler_form::coroutine: return "co_await receiver<T>";
    case handler_form::receiver: return "receiver<T>";
  }
  return "unknown";
}

std::string_view name_of(sharing which) noexcept {
  switch (which) {
    case sharing::alone: return "alone";
    case sharing::group: return "in a group";
    case sharing::lanes: return "concurrency 2";
  }
  return "unknown";
}

std::string_view name_of(way which) noexcept { return which == way::in_the_process ? "in the process" : "over zeromq"; }

std::vector<start_cell> all_starts() {
  std::vector<start_cell> out;
  for (const cell& each : all_cells()) {
    if (each.over == way::in_the_process) out.push_back({each});
  }
  out.push_back({{.over = way::zeromq}});
  return out;
}

std::optional<amphibus::error_code> expected(const start_cell& of) {
  if (of.what.over == way::zeromq) return amphibus::error_code::unsupported_retention;
  if (of.what.on == runner::in_publisher) return amphibus::error_code::bad_option;
  return expected(of.what).refused;
}

std::string name_of(const start_cell& which) { return "start, " + name_of(which.what); }

std::vector<level_cell> all_levels() {
  std::vector<level_cell> out;
  for (const std::string_view level : {"best_effort", "reliable", "durable"}) {
    for (const auto over : {way::in_the_process, way::zeromq}) out.push_back({level, over});
  }
  return out;
}

std::optional<amphibus::error_code> expected(const level_cell& of) {
  if (of.level == "best_effort") return std::nullopt;
  return amphibus::error_code::config_bad_value;
}

std::string name_of(const level_cell& which) {
  return "level " + std::string(which.level) + ", " + std::string(name_of(which.over));
}

}  // namespace combinations
