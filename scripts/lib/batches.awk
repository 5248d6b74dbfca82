# Deals files ("file <tab> flags <tab> key" per line) into batches work/batch.N that can be compiled as one unit: equal
# flags, no name of an unnamed namespace (or macro) twice within one enclosing namespace, and at most most_lines lines.
# A batch's first line is its flags, the others "file <tab> key".
# The names are found by the layout that clang-format gives: what such a namespace defines begins in the first column.
BEGIN { FS = "\t" }

function add(name) { names[space "::" name] = 1 }

function read_names(file,   line, unnamed, part) {
  split("", names)
  space = ""
  unnamed = lines = 0
  while ((getline line < file) > 0) {
    ++lines
    if (line ~ /^namespace \{/) unnamed = 1
    else if (line ~ /^\}  \/\/ namespace$/) unnamed = 0
    else if (line ~ /^namespace [a-z_:]+ \{/) { split(line, part, " "); space = part[2] }
    else if (line ~ /^#define /) { split(line, part, /[ (]/); add("#" part[2]) }
    else if (match(line, /^TEST(_F|_P)?\([A-Za-z0-9_]+, [A-Za-z0-9_]+/)) add(substr(line, RSTART, RLENGTH))
    else if (!unnamed || line !~ /^[A-Za-z_]/ || line ~ /^(namespace|template|using [a-z_]*::|friend|public:|private:)/) continue
    else if (match(line, /^(class|struct|union|enum|enum class|using) [A-Za-z0-9_]+/)) { count_of_words = split(substr(line, RSTART, RLENGTH), part, " "); add(part[count_of_words]) }
    # A function or a variable: the last name before its parameters, braces or value.
    else { sub(/[(={;].*/, "", line); sub(/ +$/, "", line); sub(/\[.*\]$/, "", line); if (match(line, /[A-Za-z0-9_]+$/)) add(substr(line, RSTART)) }
  }
  close(file)
}

function fits(b,   name) {
  if (flags[b] != $2 || size[b] + lines > most_lines) return 0
  for (name in names) if ((b, name) in taken) return 0
  return 1
}

{
  read_names($1)
  for (b = 1; b <= count; ++b) if (fits(b)) break
  if (b > count) { ++count; flags[b] = $2; size[b] = 0; files[b] = $2 }
  size[b] += lines
  files[b] = files[b] "\n" $1 "\t" $3
  for (name in names) taken[b, name] = 1
}

END { for (b = 1; b <= count; ++b) print files[b] > (work "/batch." b) }
