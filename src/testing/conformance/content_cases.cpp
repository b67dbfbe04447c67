// What arrives is what was published: bytes, ids, context, topic.
#include <algorithm>

#include "cases.hpp"
#include "scenario.hpp"

namespace amphibus::testing {
namespace {

constexpr std::size_t mebibyte = std::size_t{1} << 20U;

void bytes_intact(const subject& of, reporter& to) {
  scenario s(of, to);
  reader<letter> here(s, 0, letters, {.name = "here"});
  reader<letter> there(s, 1, letters, {.name = "there"});
  reader<note> small(s, 1, notes, {.name = "small"});
  writer<letter> out(s, 0, letters, "letters");
  writer<note> small_out(s, 0, notes, "notes");
  s.make_ready();
  // Around every boundary that a transport may have: empty, words, copies, frames, batches.
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{7}, std::size_t{8}, std::size_t{255},
                                 std::size_t{4'095}, std::size_t{4'096}, std::size_t{65'537}, mebibyte - 1, mebibyte,
                                 mebibyte + 1, std::size_t{0}, std::size_t{3}}) {
    s.check(out.publish(size) == publish_status::accepted, "a letter of " + std::to_string(size) + " bytes is refused");
    s.check(small_out.publish() == publish_status::accepted, "a note is refused");
  }
  s.wait_for(here.index(), out.count());
  s.wait_for(there.index(), out.count());
  s.wait_for(small.index(), small_out.count());
  s.judge();
}

void largest_message(const subject& of, reporter& to) {
  const std::size_t size = std::min(of.promises.message_size_max_bytes, 16 * mebibyte) - 64;  // a letter has a head
  scenario s(of, to);
  reader<letter> there(s, 1, letters, {.name = "there"});
  writer<letter> out(s, 0, letters, "letters");
  s.make_ready();
  for (int i = 0; i != 2; ++i) {
    s.check(out.publish(size) == publish_status::accepted, "the largest message is refused");
    s.check(out.publish(1) == publish_status::accepted, "a small message behind it is refused");
  }
  s.wait_for(there.index(), out.count());
  s.judge();
}

void too_large_is_told(const subject& of, reporter& to) {
  scenario s(of, to, {.message_size_max_bytes = 65'536});
  reader<letter> here(s, 0, letters, {.name = "here"});
  reader<letter> there(s, 1, letters, {.name = "there", .owed = history::duty::counted});
  writer<letter> out(s, 0, letters, "letters");
  s.make_ready();
  out.publish(100);
  s.check(out.publish(100'000) == publish_status::accepted, "what one cannot encode is found out later: accepted");
  out.publish(100);
  s.wait_for(here.index(), 3);
  s.wait_for(there.index(), 2);
  s.check(s.wait_for_event(event_kind::undeliverable), "no event tells of the message that was too large");
  s.judge();
}

void topics_apart(const subject& of, reporter& to) {
  constexpr std::uint64_t each_max = 500;
  scenario s(of, to);
  reader<letter> one(s, 1, letters, {.name = "letters"});
  reader<letter> two(s, 1, letters_below, {.name = "letters.below"});
  reader<letter> three(s, 1, letters_longer, {.name = "letters-longer"});
  reader<note> four(s, 1, notes, {.name = "notes"});
  writer<letter> to_one(s, 0, letters, "letters");
  writer<letter> to_two(s, 0, letters_below, "letters.below");
  writer<letter> to_three(s, 0, letters_longer, "letters-longer");
  writer<note> to_four(s, 0, notes, "notes");
  writer<note> to_nobody(s, 0, side_notes, "side notes");
  s.make_ready();
  for (std::uint64_t i = 0; i != each_max; ++i) {
    to_one.publish(i % 50);
    to_two.publish(i % 50);
    to_three.publish(i % 50);
    to_four.publish();
    s.check(to_nobody.publish() == publish_status::no_subscribers, "a topic without subscribers has some");
  }
  for (const std::uint32_t each : {one.index(), two.index(), three.index(), four.index()}) s.wait_for(each, each_max);
  s.judge();
}

void conversation(const subject& of, reporter& to) {
  constexpr std::uint64_t questions = 300;
  scenario s(of, to);
  plain_writer<note> answering(s, 1, replies, "answering");
  plain_writer<note> closing(s, 0, endings, "closing");
  reader<note> asked(s, 1, notes, {.name = "asked"}, [&](const note& got, const context&) {
    answering.publish(0, name_of(got));
    answering.publish(0, name_of(got));
  });
  reader<note> answered(s, 0, replies, {.name = "answered"},
                        [&](const note& got, const context&) { closing.publish(0, name_of(got)); });
  reader<note> overheard(s, 1, replies, {.name = "overheard"});
  reader<note> ended(s, 1, endings, {.name = "ended"});
  writer<note> asking(s, 0, notes, "asking");
  s.make_ready();
  for (std::uint64_t i = 0; i != questions; ++i) asking.publish();
  s.wait_for(ended.index(), 2 * questions);
  s.wait_for(overheard.index(), 2 * questions);
  s.judge();
}

void no_echo(const subject& of, reporter& to) {
  constexpr std::uint64_t each_max = 200;
  scenario s(of, to, {.processes = 3});
  reader<note> zero(s, 0, notes, {.name = "at 0"});
  reader<note> one(s, 1, notes, {.name = "at 1"});
  reader<note> two(s, 2, notes, {.name = "at 2"});
  writer<note> from_zero(s, 0, notes, "from 0");
  writer<note> from_one(s, 1, notes, "from 1");
  writer<note> from_two(s, 2, notes, "from 2");
  s.make_ready();
  // An echo would follow on the way back: what is published there afterwards comes behind it.
  for (writer<note>* each : {&from_zero, &from_one, &from_two}) {
    for (std::uint64_t i = 0; i != each_max; ++i) each->publish();
    s.wait_for(zero.index(), each_max);
  }
  for (const std::uint32_t each : {zero.index(), one.index(), two.index()}) s.wait_for(each, 3 * each_max);
  s.judge();
}

}  // namespace

case_list content_cases() {
  using enum case_scope;
  return {
      {"bytes of every size arrive intact",
       {"content"},
       {&promise::lossless_while_connected},
       everywhere,
       bytes_intact},
      {"the largest message arrives", {"content"}, {&promise::lossless_while_connected}, everywhere, largest_message},
      {"a message that is too large is told and counted",
       {"loss"},
       {&promise::counts_losses},
       between_processes,
       too_large_is_told},
      {"topics do not mix", {"content"}, {&promise::lossless_while_connected}, everywhere, topics_apart},
      {"correlation and causation follow a conversation",
       {"correlation, causation"},
       {&promise::lossless_while_connected},
       everywhere,
       conversation},
      {"what came from a process does not travel on",
       {"duplicates"},
       {&promise::free_of_duplicates},
       everywhere,
       no_echo},
  };
}

}  // namespace amphibus::testing
