#include <rich_amphibus.h>

#include <catch2/catch.hpp>

#include <cstring>
#include <string>
#include <vector>

namespace wire = amphibus::wire;
using border = amphibus::codec<rich::EverythingT>;

namespace {

std::vector<std::byte> bytes_of(const flatbuffers::FlatBufferBuilder& from) {
  const auto* const begin = reinterpret_cast<const std::byte*>(from.GetBufferPointer());
  return {begin, begin + from.GetSize()};
}

bool taken(const std::vector<std::byte>& bytes) {
  rich::EverythingT into;
  return border::decode(bytes, into);
}

/// A message whose list has `count` entries that are all the same text of `size` bytes.
std::vector<std::byte> shared_text(std::size_t count, std::size_t size) {
  flatbuffers::FlatBufferBuilder out;
  const auto text = out.CreateString(std::string(size, 'x'));
  const auto words = out.CreateVector(std::vector<flatbuffers::Offset<flatbuffers::String>>(count, text));
  const auto title = out.CreateString("t");
  rich::EverythingBuilder message(out);
  message.add_title(title);
  message.add_words(words);
  out.Finish(message.Finish());
  return bytes_of(out);
}

/// A message with two doubles, behind `padding` numbers of four bytes: one of any two paddings puts them at an odd
/// address.
std::vector<std::byte> doubles_behind(std::size_t padding) {
  flatbuffers::FlatBufferBuilder out;
  const auto title = out.CreateString("t");
  out.StartVector(4, sizeof(float));  // room for two, aligned for floats only
  for (int i = 0; i != 4; ++i) out.PushElement(0.0F);
  const flatbuffers::Offset<flatbuffers::Vector<double>> doubles(out.EndVector(2));
  for (std::size_t i = 0; i != padding; ++i) out.PushElement(0U);  // FlatBuffers writes from the end
  rich::EverythingBuilder message(out);
  message.add_title(title);
  message.add_doubles(doubles);
  out.Finish(message.Finish());
  return bytes_of(out);
}

/// A message whose branch has `count` leaves that are all the same table.
std::vector<std::byte> shared_tables(std::size_t count) {
  flatbuffers::FlatBufferBuilder out;
  const auto leaf = rich::CreateLeaf(out, out.CreateString(std::string(200, 'x')));
  const auto leaves = out.CreateVector(std::vector<flatbuffers::Offset<rich::Leaf>>(count, leaf));
  const auto branch = rich::CreateBranch(out, leaves);
  const auto title = out.CreateString("t");
  rich::EverythingBuilder message(out);
  message.add_title(title);
  message.add_branch(branch);
  out.Finish(message.Finish());
  return bytes_of(out);
}

std::vector<std::byte> encoded(const rich::EverythingT& message) {
  wire::byte_writer out;
  REQUIRE(border::encode(message, out));
  return {out.bytes().begin(), out.bytes().end()};
}

rich::EverythingT titled() {
  rich::EverythingT out;
  out.title = "t";
  return out;
}

}  // namespace

TEST_CASE("flatbuffers: text that many entries share is refused where it would become too much", "[wire]") {
  constexpr std::size_t text = 100'000;
  constexpr std::size_t fits = wire::flatbuffers_unpacked_min_bytes / (text + 40);
  CHECK(taken(shared_text(fits - 1, text)));
  CHECK_FALSE(taken(shared_text(fits + 1, text)));
  CHECK_FALSE(taken(shared_text(500'000, 2'000'000)));  // 4 MB that would become a terabyte
}

TEST_CASE("flatbuffers: tables that many entries share are bounded by the size of the message", "[wire]") {
  CHECK(taken(shared_tables(1'000)));
  CHECK_FALSE(taken(shared_tables(1'000'000)));
}

TEST_CASE("flatbuffers: what shares nothing is taken, however large", "[wire]") {
  rich::EverythingT message = titled();
  message.words.assign(50'000, "a word of a text that is written out");
  message.bytes.assign(1'000'000, 7);
  message.branch = std::make_unique<rich::BranchT>();
  for (int i = 0; i != 50'000; ++i) {
    message.branch->leaves.push_back(std::make_unique<rich::LeafT>());
    message.branch->leaves.back()->name = std::to_string(i);
  }
  rich::LeafT leaf;
  leaf.name = "leaf";
  for (int i = 0; i != 10'000; ++i) {
    message.holders.push_back(std::make_unique<rich::HolderT>());
    message.holders.back()->part.Set(leaf);
  }
  CHECK(taken(encoded(message)));
}

TEST_CASE("flatbuffers: text that the members of many unions share is counted as well", "[wire]") {
  flatbuffers::FlatBufferBuilder out;
  const auto text = out.CreateString(std::string(100'000, 'x'));
  std::vector<flatbuffers::Offset<rich::Holder>> holders;
  for (int i = 0; i != 100; ++i) holders.push_back(rich::CreateHolder(out, rich::Part::Text, text.Union()));
  const auto list = out.CreateVector(holders);
  const auto title = out.CreateString("t");
  rich::EverythingBuilder message(out);
  message.add_title(title);
  message.add_holders(list);
  out.Finish(message.Finish());
  CHECK_FALSE(taken(bytes_of(out)));
}

TEST_CASE("flatbuffers: a required field that is missing, a size prefix and a lying size are refused", "[wire]") {
  flatbuffers::FlatBufferBuilder out;
  const auto begin = out.StartTable();  // the generated builder would notice
  out.Finish(flatbuffers::Offset<rich::Everything>(out.EndTable(begin)));
  CHECK_FALSE(taken(bytes_of(out)));
  auto prefixed = encoded(titled());
  const auto size = static_cast<std::uint32_t>(prefixed.size());
  prefixed.insert(prefixed.begin(), reinterpret_cast<const std::byte*>(&size),
                  reinterpret_cast<const std::byte*>(&size) + sizeof size);
  CHECK_FALSE(taken(prefixed));
  rich::EverythingT into;
  const std::byte one{};
  CHECK_FALSE(border::decode({&one, std::size_t{1} << 31U}, into));  // never looked at
  CHECK_FALSE(border::decode({}, into));
}

TEST_CASE("flatbuffers: an enumerator and a union member of a newer schema are taken, the member as nothing",
          "[wire]") {
  rich::EverythingT message = titled();
  message.path = std::make_unique<rich::Path>(rich::Point(), std::array<int, 3>{}, static_cast<rich::Colour>(99));
  rich::LeafT leaf;
  leaf.colours = {static_cast<rich::Colour>(99)};
  message.part.Set(leaf);
  auto bytes = encoded(message);
  rich::EverythingT into;
  REQUIRE(border::decode(bytes, into));
  CHECK(static_cast<int>(into.path->colour()) == 99);

  flatbuffers::FlatBufferBuilder out;
  const auto newer = rich::CreateLeaf(out);
  const auto title = out.CreateString("t");
  rich::EverythingBuilder builder(out);
  builder.add_title(title);
  builder.add_part_type(static_cast<rich::Part>(77));
  builder.add_part(newer.Union());
  out.Finish(builder.Finish());
  REQUIRE(border::decode(bytes_of(out), into));
  CHECK(into.part.value == nullptr);
}

TEST_CASE("flatbuffers: a union that names a member and has none is empty, and can be sent on", "[wire]") {
  for (const auto type : {rich::Part::Leaf, rich::Part::Text}) {
    flatbuffers::FlatBufferBuilder out;
    const auto held = rich::CreateHolder(out, type);
    const auto holders = out.CreateVector(std::vector<flatbuffers::Offset<rich::Holder>>(2, held));
    const auto title = out.CreateString("t");
    rich::EverythingBuilder builder(out);
    builder.add_title(title);
    builder.add_part_type(type);
    builder.add_holders(holders);
    out.Finish(builder.Finish());
    const auto bytes = bytes_of(out);
    const auto untouched = bytes;
    rich::EverythingT into;
    REQUIRE(border::decode(bytes, into));
    CHECK(bytes == untouched);
    CHECK(into.part.type == rich::Part::NONE);
    REQUIRE(into.holders.size() == 2);
    CHECK(into.holders[1]->part.type == rich::Part::NONE);
    CHECK(taken(encoded(into)));
  }
}

TEST_CASE("flatbuffers: text is any bytes; whoever prints it escapes it", "[wire]") {
  rich::EverythingT message = titled();
  message.title = std::string("\xff\0\x1b[2J", 6);
  rich::EverythingT into;
  REQUIRE(border::decode(encoded(message), into));
  CHECK(into.title == message.title);
}

TEST_CASE("flatbuffers: numbers of eight bytes at odd addresses are refused", "[wire]") {
  // The verifier aligns the length of a vector only; found by fuzzing.
  for (const std::size_t padding : {0U, 1U}) {
    const auto bytes = doubles_behind(padding);
    REQUIRE(wire::verify_table<rich::Everything>(bytes));
    const auto* const root = flatbuffers::GetRoot<rich::Everything>(bytes.data());
    const auto at = reinterpret_cast<const std::byte*>(root->doubles()->Data()) - bytes.data();
    CHECK(taken(bytes) == (at % 8 == 0));
  }
  CHECK(taken(doubles_behind(0)) != taken(doubles_behind(1)));
}

TEST_CASE("flatbuffers: what is mended is verified again, because fields may overlap", "[wire]") {
  // The type of a union without its member lies within the offset of the title; without it, the offset leads into the
  // bytes, whose 0xff would be a length. Found by fuzzing.
  flatbuffers::FlatBufferBuilder out;
  const auto title = out.CreateString("t");
  const auto filler = out.CreateVector(std::vector<std::uint8_t>(300, 0xff));
  rich::EverythingBuilder message(out);
  message.add_title(title);
  message.add_bytes(filler);
  message.add_part_type(rich::Part::Leaf);
  out.Finish(message.Finish());
  auto bytes = bytes_of(out);
  const auto* const root = flatbuffers::GetRoot<flatbuffers::Table>(bytes.data());
  auto* const slots = const_cast<std::uint8_t*>(root->GetVTable());
  const auto of_title = flatbuffers::ReadScalar<flatbuffers::voffset_t>(slots + rich::Everything::VT_TITLE);
  flatbuffers::WriteScalar<flatbuffers::voffset_t>(slots + rich::Everything::VT_PART_TYPE,
                                                   static_cast<flatbuffers::voffset_t>(of_title + 1));
  REQUIRE(wire::verify_table<rich::Everything>(bytes));
  REQUIRE(flatbuffers::GetRoot<rich::Everything>(bytes.data())->part_type() == rich::Part::Leaf);
  CHECK_FALSE(taken(bytes));
}

TEST_CASE("flatbuffers: a deprecated field that leads out of the message is refused", "[wire]") {
  // The verifier passes over deprecated fields, and the count of what a message becomes did not know. Found by fuzzing.
  flatbuffers::FlatBufferBuilder out;
  const auto title = out.CreateString("t");
  rich::EverythingBuilder message(out);
  message.add_title(title);
  message.add_maybe(1);
  out.Finish(message.Finish());
  auto bytes = bytes_of(out);
  REQUIRE(taken(bytes));
  // The slot of the deprecated field is the last; the table gets one more by a list of fields of its own at the end.
  const auto* const root = flatbuffers::GetRoot<flatbuffers::Table>(bytes.data());
  const auto at = reinterpret_cast<const std::byte*>(root) - bytes.data();
  const auto old_size = flatbuffers::ReadScalar<flatbuffers::voffset_t>(root->GetVTable());
  std::vector<std::byte> fields(36);  // sizes, and a slot for each of 16 fields
  std::memcpy(fields.data(), root->GetVTable(), old_size);
  flatbuffers::WriteScalar<flatbuffers::voffset_t>(fields.data(), 36);
  const auto of_number =
      flatbuffers::ReadScalar<flatbuffers::voffset_t>(root->GetVTable() + rich::Everything::VT_MAYBE);
  flatbuffers::WriteScalar<flatbuffers::voffset_t>(fields.data() + 34, of_number);
  for (const int leads_to : {1'000'000, -5, 0}) {
    auto hostile = bytes;
    hostile.resize((hostile.size() + 3) / 4 * 4);
    const auto table = hostile.data() + at;
    flatbuffers::WriteScalar<std::int32_t>(table + of_number, leads_to);
    flatbuffers::WriteScalar<flatbuffers::soffset_t>(
        table, static_cast<flatbuffers::soffset_t>(at - static_cast<std::ptrdiff_t>(hostile.size())));
    hostile.insert(hostile.end(), fields.begin(), fields.end());
    REQUIRE(wire::verify_table<rich::Everything>(hostile));
    CHECK(taken(hostile) == (leads_to == 0));  // there lies a short text
  }
}
