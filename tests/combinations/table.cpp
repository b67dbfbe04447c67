#include "table.hpp"

#include "cell.hpp"

namespace combinations {
namespace {

std::string_view text_of(fullness which) noexcept {
  switch (which) {
    case fullness::waits: return "the publish waits up to the timeout, then `would_block`";
    case fullness::refuses: return "`would_block` at once";
    case fullness::waits_at_border: return "waits at the border, paces the route";
    case fullness::passes_by: return "the new message passes by";
    case fullness::throws_out_oldest: return "the oldest of its source goes";
    case fullness::replaces_its_key: return "the older of its key goes";
    case fullness::never_full: return "never full: no inbox";
  }
  return "unknown";
}

std::string_view text_of(place which) noexcept {
  switch (which) {
    case place::serial_thread: return "on the serial thread";
    case place::own_thread: return "on a thread of its own";
    case place::pool_thread: return "on a thread of the pool";
    case place::who_runs_the_loop: return "where the loop is run";
    case place::publisher: return "inside the publish";
    case place::who_pulls: return "pulled";
  }
  return "unknown";
}

std::string text_of(const outcome& what) {
  if (what.refused) return to_string(*what.refused) + " at `subscribe`";
  std::string out(text_of(what.when_full));
  if (may_lose(what.when_full)) out += what.told_by_context ? ", `lost_before()` tells" : ", counters tell";
  out += "; " + std::string(text_of(what.runs_on));
  if (what.ordered_by_key) out += ", in order by key";
  return out + (what.many_at_once ? ", many a call" : "");
}

std::string rows_of(sharing with, overflow_choice overflow) {
  const std::string of = with == sharing::alone ? "" : ", " + std::string(name_of(with));
  std::string out =
      "\n### " + std::string(name_of(overflow)) + of + "\n\n| `.on` | handler | in the process | over zeromq |\n";
  out += "|---|---|---|---|\n";
  for (const cell& each : all_cells()) {
    if (each.overflow != overflow || each.with != with) continue;
    if (each.over == way::in_the_process) {
      out += "| " + std::string(name_of(each.on)) + " | `" + std::string(name_of(each.form)) + "` |";
    }
    out += " " + text_of(expected(each)) + " |";
    if (each.over == way::zeromq) out += "\n";
  }
  return out;
}

std::string rows_of_levels() {
  std::string out = "\n### level of a route\n\n| `level` | in the process | over zeromq |\n|---|---|---|\n";
  for (const level_cell& each : all_levels()) {
    if (each.over == way::in_the_process) out += "| `" + std::string(each.level) + "` |";
    const auto refused = expected(each);
    out += " " + (refused ? to_string(*refused) + " when the file is read" : std::string("kept")) + " |";
    if (each.over == way::zeromq) out += "\n";
  }
  return out;
}

std::string text_of_start(const cell& which) {
  if (const auto refused = expected(start_cell{which})) return to_string(*refused) + " at `subscribe`";
  return expected(which).ordered_by_key ? "the history, then what is live, in order by key"
                                        : "the history, then what is live, in order";
}

std::string rows_of_starts(sharing with) {
  const std::string of = with == sharing::alone ? "" : ", " + std::string(name_of(with));
  std::string out = "\n### start with a history" + of +
                    "\n\n| `.on` | handler | block, fail, drop_newest | drop_oldest, latest |\n|---|---|---|---|\n";
  for (const start_cell& each : all_starts()) {
    cell what = each.what;
    if (what.over == way::zeromq || what.with != with || what.overflow != overflow_choice::block) continue;
    out +=
        "| " + std::string(name_of(what.on)) + " | `" + std::string(name_of(what.form)) + "` | " + text_of_start(what);
    what.overflow = overflow_choice::latest;
    out += " | " + text_of_start(what) + " |\n";
  }
  return out;
}

}  // namespace

std::string table() {
  using enum overflow_choice;
  std::string out = std::to_string(all_cells().size() + all_starts().size() + all_levels().size()) + " cells.\n";
  for (const sharing with : {sharing::alone, sharing::group, sharing::lanes}) {
    for (const overflow_choice each : {block, fail, drop_newest, drop_oldest, latest}) out += rows_of(with, each);
  }
  for (const sharing with : {sharing::alone, sharing::group, sharing::lanes}) out += rows_of_starts(with);
  out += "\nOver zeromq a topic that retains is refused: " + to_string(*expected(all_starts().back())) + ".\n";
  return out + rows_of_levels();
}

}  // namespace combinations
