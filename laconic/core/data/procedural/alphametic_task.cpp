#include "laconic/core/data/procedural/alphametic_task.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "laconic/core/base/error.h"
#include "laconic/core/base/rng.h"
#include "laconic/core/base/strings.h"
#include "laconic/core/data/procedural/streams.h"

namespace laconic::data {
namespace {

constexpr int64_t kNodes = 200000;  // tried digits of one search
constexpr int kMostDraws = 5000;

// Digits of the letters, column by column from the right: those of the addends are tried, the sum's follow.
class Solver {
 public:
  Solver(const std::vector<std::string>& addends, const std::string& sum, int most, int64_t nodes)
      : addends_(addends), sum_(sum), most_(most), nodes_(nodes) {
    digit_.fill(-1);
    for (const auto& word : addends) leads_[index(word.front())] = true;
    leads_[index(sum.front())] = true;
  }

  int run() {
    column(0, 0, 0);
    return nodes_ < 0 ? -1 : found_;
  }

 private:
  static size_t index(char letter) { return static_cast<size_t>(letter - 'A'); }

  bool may_be(size_t letter, int digit) const {
    return !used_[static_cast<size_t>(digit)] && !(digit == 0 && leads_[letter]);
  }

  // Row `row` of the column (0 = ones); `total` is what the rows above it and the carry make.
  void column(size_t place, size_t row, int total) {
    if (found_ >= most_ || --nodes_ < 0) return;
    if (row == addends_.size()) return sum_digit(place, total);
    const auto& word = addends_[row];
    if (place >= word.size()) return column(place, row + 1, total);
    const size_t letter = index(word[word.size() - 1 - place]);
    if (digit_[letter] >= 0) return column(place, row + 1, total + digit_[letter]);
    for (int digit = 0; digit < 10; ++digit) {
      if (!may_be(letter, digit)) continue;
      with(letter, digit, [&] { column(place, row + 1, total + digit); });
    }
  }

  void sum_digit(size_t place, int total) {
    if (place >= sum_.size()) {
      found_ += total == 0 ? 1 : 0;
      return;
    }
    const size_t letter = index(sum_[sum_.size() - 1 - place]);
    const int digit = total % 10, carry = total / 10;
    if (digit_[letter] >= 0) {
      if (digit_[letter] == digit) column(place + 1, 0, carry);
      return;
    }
    if (may_be(letter, digit)) with(letter, digit, [&] { column(place + 1, 0, carry); });
  }

  template <typename Work>
  void with(size_t letter, int digit, const Work& work) {
    digit_[letter] = digit;
    used_[static_cast<size_t>(digit)] = true;
    work();
    used_[static_cast<size_t>(digit)] = false;
    digit_[letter] = -1;
  }

  const std::vector<std::string>& addends_;
  const std::string& sum_;
  int most_, found_ = 0;
  int64_t nodes_;
  std::array<int, 26> digit_{};
  std::array<bool, 26> leads_{};
  std::array<bool, 10> used_{};
};

int64_t number_of(Rng& rng, int digits) {
  int64_t number = rng.between(1, 9);
  for (int i = 1; i < digits; ++i) number = 10 * number + rng.between(0, 9);
  return number;
}

// Numbers in letters; each digit has a letter of its own.
AlphameticProblem written(const std::vector<int64_t>& numbers, Rng& rng) {
  std::vector<char> alphabet;
  alphabet.reserve(26);
  for (char letter = 'A'; letter <= 'Z'; ++letter) alphabet.push_back(letter);
  rng.shuffle(alphabet);
  AlphameticProblem problem;
  std::array<bool, 10> seen{};
  const auto word = [&](int64_t number) {
    std::string letters;
    for (const char c : std::to_string(number)) {
      const auto digit = static_cast<size_t>(c - '0');
      if (!seen[digit]) problem.digits.emplace_back(alphabet[digit], static_cast<int>(digit));
      seen[digit] = true;
      letters += alphabet[digit];
    }
    return letters;
  };
  int64_t total = 0;
  for (const int64_t number : numbers) {
    problem.addends.push_back(word(number));
    total += number;
  }
  problem.sum = word(total);
  return problem;
}

}  // namespace

std::string AlphameticProblem::text() const {
  return join(addends, " + ") + " = " + sum;
}

std::string AlphameticProblem::solution() const {
  std::vector<std::string> parts;
  parts.reserve(digits.size());
  for (const auto& [letter, digit] : digits) parts.push_back(fmt::format("{}={}", letter, digit));
  return join(parts, ", ");
}

int count_alphametic_solutions(const std::vector<std::string>& addends, const std::string& sum, int most,
                               int64_t nodes) {
  return Solver(addends, sum, most, nodes).run();
}

AlphameticProblem alphametic_problem(const AlphameticOptions& options, uint64_t seed, uint64_t index) {
  LACONIC_CHECK(options.addends >= 2 && options.addends <= 4 && options.shortest_word >= 1 &&
                    options.shortest_word <= options.longest_word && options.longest_word <= 8 &&
                    options.fewest_letters <= options.most_letters,
                "unusable options of alphametic");
  Rng rng(DrawPurpose::procedural_data, {seed, kAlphameticStream, index});
  for (int draw = 0; draw < kMostDraws; ++draw) {
    std::vector<int64_t> numbers(static_cast<size_t>(options.addends));
    for (auto& number : numbers) number = number_of(rng, rng.between(options.shortest_word, options.longest_word));
    auto problem = written(numbers, rng);
    const auto letters = static_cast<int>(problem.digits.size());
    if (letters < options.fewest_letters || letters > options.most_letters) continue;
    if (count_alphametic_solutions(problem.addends, problem.sum, 2, kNodes) == 1) return problem;
  }
  fail(ErrorKind::usage,
       "alphametic: sums of {} words of {} to {} letters with {} to {} different ones hardly ever have one solution "
       "alone; lengthen the words or widen the letters",
       options.addends, options.shortest_word, options.longest_word, options.fewest_letters, options.most_letters);
}

std::string alphametic_prompt(const AlphameticProblem& problem) {
  return fmt::format(
      "In this sum every letter stands for a digit, different letters for different digits, and no number begins with "
      "0:\n\n{}\n\nWhich digits are they? Write them between <answer> and </answer>, for example <answer>A=1, "
      "B=2</answer>.",
      problem.text());
}

}  // namespace laconic::data
