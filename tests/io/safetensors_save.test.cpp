// SPDX-License-Identifier: MIT
// What is saved is what was there, bit by bit, whatever its type, strides and numbers.
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <Eigen/Dense>
#include <doctest/doctest.h>

#include <sigmax/core/matrix.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/io/atomic_file.hpp>
#include <sigmax/io/read_file.hpp>
#include <sigmax/io/safetensors.hpp>

#include "safetensors_builder.hpp"

namespace {

using namespace sigmax;
using namespace std::string_view_literals;
using test::message_of;
using test::parse_text;

/// Any bits, signalling NaN with payloads among them.
template <class T>
void fill_bits(matrix_view<T> a, std::uint64_t seed) {
  random_sequence const random(seed);
  for (index_t i = 0; i < a.rows(); ++i) {
    for (index_t j = 0; j < a.cols(); ++j) {
      std::uint64_t const bits = random.bits(static_cast<std::uint64_t>(i * a.cols() + j));
      std::memcpy(static_cast<void*>(&a(i, j)), &bits, sizeof(T));
    }
  }
}

/// True if both have the same shape and the same bits.
template <class A, class B>
bool same_bits(A const& a, B const& b) {
  if (a.rows() != b.rows() || a.cols() != b.cols()) return false;
  for (index_t i = 0; i < a.rows(); ++i) {
    for (index_t j = 0; j < a.cols(); ++j) {
      using bits = std::array<std::byte, sizeof(a(i, j))>;
      if (std::bit_cast<bits>(a(i, j)) != std::bit_cast<bits>(b(i, j))) return false;
    }
  }
  return true;
}

}  // namespace

TEST_CASE("safetensors: golden bytes are written") {
  CHECK(io::safetensors_bytes({}) == "\x08\0\0\0\0\0\0\0{}      "sv);
  matrix<float> w(2, 1);
  w(0, 0) = 3;
  w(1, 0) = -4;
  std::vector<bf16> const one{bf16(1.0f)};
  std::vector<std::int64_t> const seven{7};
  auto const bytes = io::safetensors_bytes(
      {{"half", {}, one}, {"\u00e4\n\x01", w}, {"n", io::element_type::i64, {1}, std::as_bytes(std::span(seven))}},
      {{"step", "1\"\\/"}, {"", "\U0001f600\x7f"}});
  std::string const header =
      "{\"__metadata__\":{\"\":\"\U0001f600\x7f\",\"step\":\"1\\\"\\\\/\"},"
      "\"n\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[0,8]},"
      "\"\u00e4\\n\\u0001\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[8,16]},"
      "\"half\":{\"dtype\":\"BF16\",\"shape\":[],\"data_offsets\":[16,18]}}";
  std::string const padded = header + std::string((8 - header.size() % 8) % 8, ' ');
  CHECK(bytes == test::safetensors_text(padded, "\x07\0\0\0\0\0\0\0\0\0\x40\x40\0\0\x80\xc0\x80\x3f"sv));
  auto const file = parse_text(bytes);
  CHECK(file.metadata().at("step") == "1\"\\/");
  CHECK(file.matrix<float>("\u00e4\n\x01")(1, 0) == -4);
}

TEST_CASE_TEMPLATE("safetensors: every type and stride comes back bit by bit", T, double, float, f16, bf16) {
  matrix<T> a(37, 53);
  fill_bits(a.view(), 11);
  matrix_view<T> const all = a.view();
  T* const last = a.data() + a.size() - 1;
  T const* const constant = a.data();
  matrix_view<T const> const views[] = {
      all,
      all.transposed(),
      all.block(3, 5, 20, 30),
      all.block(3, 5, 20, 30).transposed(),
      all.block(7, 0, 1, 53),
      all.block(0, 9, 37, 1),
      all.block(0, 9, 37, 1).transposed(),
      all.block(4, 4, 0, 9),
      matrix_view<T const>(last, 37, 53, -53, -1),
      matrix_view<T const>(last, 19, 26, -106, -2),
      matrix_view<T const>(constant, 6, 4, 0, 1),
      matrix_view<T const>(constant, 5, 5, 1, 1),
      matrix_view<T const>(constant, 0, 0),
  };
  std::vector<io::named_tensor> tensors;
  for (auto const& each : views) tensors.emplace_back("t" + std::to_string(tensors.size()), each);
  auto const bytes = io::safetensors_bytes(tensors);
  auto const file = parse_text(bytes);
  REQUIRE(file.tensors().size() == std::size(views));
  for (std::size_t i = 0; i < std::size(views); ++i) {
    CAPTURE(i);
    auto const name = "t" + std::to_string(i);
    auto const back = file.template matrix<T>(name);
    CHECK(same_bits(back, views[i]));
    matrix<T> copy(views[i].cols(), views[i].rows());
    file.read_into(name, copy.view().transposed());
    CHECK(same_bits(copy.view().transposed(), views[i]));
  }
}

TEST_CASE_TEMPLATE("safetensors: all 65536 halves", T, f16, bf16) {
  std::vector<T> all;
  for (std::uint32_t bits = 0; bits < 65536; ++bits) all.push_back(T::from_bits(static_cast<std::uint16_t>(bits)));
  auto const bytes = io::safetensors_bytes({{"all", {256, 256}, all}, {"v", vector_view<T const>(all.data(), 65536)}});
  auto const file = parse_text(bytes);
  auto const back = file.template matrix<T>("all");
  vector<T> v(65536);
  file.read_into("v", v.view());
  bool same = true;
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    auto const i = static_cast<index_t>(bits);
    same = same && back(i / 256, i % 256).bits == bits && v[i].bits == bits;
  }
  CHECK(same);
}

TEST_CASE("safetensors: payloads of NaN in float and double") {
  constexpr std::array<std::uint32_t, 6> floats{0x7f800001u, 0xff812345u, 0x7fc00000u, 0xffffffffu, 0x7f800000u, 1u};
  constexpr std::array<std::uint64_t, 4> doubles{0x7ff0000000000001u, 0xfff123456789abcdu, 0x7ff8000000000000u, 1u};
  auto const bytes = io::safetensors_bytes({{"f", io::element_type::f32, {6}, std::as_bytes(std::span(floats))},
                                            {"d", io::element_type::f64, {2, 2}, std::as_bytes(std::span(doubles))}});
  auto const file = parse_text(bytes);
  vector<float> f(12);
  file.read_into("f", vector_view<float>(f.data(), 6, 2));
  for (index_t i = 0; i < 6; ++i) {
    CHECK(std::bit_cast<std::uint32_t>(f[2 * i]) == floats[static_cast<std::size_t>(i)]);
    CHECK(f[2 * i + 1] == 0);
  }
  matrix<double> d(2, 2);
  file.read_into("d", d);
  for (index_t i = 0; i < 4; ++i) {
    CHECK(std::bit_cast<std::uint64_t>(d.data()[i]) == doubles[static_cast<std::size_t>(i)]);
  }
  // And out again from the matrices.
  CHECK(io::safetensors_bytes({{"d", d}, {"f", vector_view<float const>(f.data(), 6, 2)}}) == bytes);
}

TEST_CASE("safetensors: Eigen matrices, vectors with strides, shapes of any rank") {
  Eigen::MatrixXf const column_major = Eigen::MatrixXf::Random(7, 5);
  Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> const row_major =
      Eigen::MatrixXd::Random(4, 9);
  matrix<float> a(6, 6);
  fill_normal(a.view(), 3);
  std::vector<float> kernel(2 * 3 * 4 * 5);
  for (std::size_t i = 0; i < kernel.size(); ++i) kernel[i] = static_cast<float>(i);
  auto const bytes = io::safetensors_bytes({{"c", column_major},
                                            {"r", row_major},
                                            {"diagonal", a.view().diagonal()},
                                            {"kernel", {2, 3, 4, 5}, kernel},
                                            {"none", vector_view<double>()}});
  auto const file = parse_text(bytes);
  CHECK(same_bits(file.matrix<float>("c"), column_major));
  CHECK(same_bits(file.matrix<double>("r"), row_major));
  Eigen::MatrixXf into(7, 5);
  file.read_into("c", into);
  CHECK(into == column_major);
  CHECK(file.at("diagonal").shape == std::vector<index_t>{6});
  CHECK(same_bits(file.flattened<float>("diagonal"), as_row(a.view().diagonal()).transposed()));
  CHECK(file.at("kernel").shape == std::vector<index_t>{2, 3, 4, 5});
  CHECK(file.flattened<float>("kernel")(1, 59) == 119);
  CHECK(file.at("none").shape == std::vector<index_t>{0});
  // Every element lies on a multiple of its size.
  for (auto const& tensor : file.tensors()) CHECK(tensor.begin % (io::bits_of(tensor.type) / 8) == 0);
}

TEST_CASE("safetensors: what is read can be written again, every type of it, to the same bytes") {
  std::vector<std::byte> const zeros(64);
  std::vector<io::named_tensor> tensors;
  for (int i = 0; i < 22; ++i) {
    auto const type = static_cast<io::element_type>(i);
    tensors.emplace_back(io::name_of(type), type, std::vector<index_t>{8}, std::span(zeros).first(io::bits_of(type)));
  }
  auto const bytes = io::safetensors_bytes(tensors, {{"format", "pt"}});
  auto const file = parse_text(bytes);
  std::vector<io::named_tensor> again;
  for (auto const& t : file.tensors()) again.emplace_back(t.name, t.type, t.shape, file.bytes(t));
  CHECK(io::safetensors_bytes(again, file.metadata()) == bytes);
}

TEST_CASE("safetensors: the order of the list does not matter") {
  std::vector<float> const a{1, 2}, b{3};
  std::vector<double> const c{4};
  auto const bytes = io::safetensors_bytes({{"a", {2}, a}, {"b", {1}, b}, {"c", {1}, c}}, {{"x", "1"}, {"y", "2"}});
  CHECK(bytes == io::safetensors_bytes({{"c", {1}, c}, {"b", {1}, b}, {"a", {2}, a}}, {{"y", "2"}, {"x", "1"}}));
  CHECK(parse_text(bytes).tensors()[0].name == "c");
}

TEST_CASE("safetensors: what cannot be written is refused before a file is touched") {
  auto const folder = std::filesystem::temp_directory_path() / "sigmax-safetensors-save-test";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  auto const path = folder / "m.safetensors";
  io::write_file(path, "old");
  std::vector<float> const a{1, 2};
  auto const refused = [&](std::vector<io::named_tensor> const& tensors, std::map<std::string, std::string> metadata,
                           char const* part) {
    auto const text = message_of<domain_error>([&] { io::save_safetensors(path, tensors, metadata); });
    INFO(text);
    CHECK(text.find(part) != std::string::npos);
    auto const old = io::read_file(path, 100);
    CHECK(old.size() == 3);
    CHECK(std::distance(std::filesystem::directory_iterator(folder), {}) == 1);
  };
  refused({{"a", {2}, a}, {"b", {2}, a}, {"a", {1, 2}, a}}, {}, "tensor name 'a' is given twice");
  refused({{"__metadata__", {2}, a}}, {}, "tensor name '__metadata__' is taken by the format");
  refused({{"a\xff", {2}, a}}, {}, "tensor name 'a\\xff' is not UTF-8");
  refused({}, {{"\xc0\x80", ""}}, "metadata key '\\xc0\\x80' is not UTF-8");
  refused({}, {{"k", "\xed\xa0\x80"}}, "metadata value '\\xed\\xa0\\x80' is not UTF-8");
  std::string long_name;
  long_name.resize(100'000'000, 'n');
  refused({{long_name, {2}, a}}, {}, "readers take at most 100000000");

  CHECK_THROWS_AS(io::save_safetensors(folder / "none" / "m", {{"a", {2}, a}}), format_error);
  CHECK_THROWS_AS(io::save_safetensors(folder, {{"a", {2}, a}}), format_error);
  io::save_safetensors(path, {{"a", {2}, a}});
  CHECK(io::load_safetensors(path).flattened<float>("a")(1, 0) == 2);
  CHECK(std::distance(std::filesystem::directory_iterator(folder), {}) == 1);
  std::filesystem::remove_all(folder);
}

TEST_CASE("safetensors: a shape that is not that of the elements is refused when the tensor is named") {
  std::vector<float> const a{1, 2};
  auto const text = [&](std::vector<index_t> const& shape) {
    return message_of<shape_error>([&] { io::named_tensor("a", shape, a); });
  };
  CHECK(text({3}) == "tensor 'a': 8 bytes are given; shape [3] of type F32 takes 12");
  CHECK(text({}) == "tensor 'a': 8 bytes are given; shape [] of type F32 takes 4");
  CHECK(text({-1, -2}) == "tensor 'a': shape is [-1, -2]; extents must not be negative");
  CHECK(text({index_t{1} << 40, index_t{1} << 40}).find("overflows") != std::string::npos);
  CHECK(text(std::vector<index_t>(65, 1)).find("at most 64 extents") != std::string::npos);
  CHECK(text({1, 2, 1}).empty());
  CHECK(message_of<shape_error>([&] {
          io::named_tensor("f", io::element_type::f4, {3}, std::as_bytes(std::span(a)).first(2));
        }).find("do not fill whole bytes") != std::string::npos);
}
