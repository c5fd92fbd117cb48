# PCRE2 itself, through ctypes: for each line of JSON {"pattern", "caseless", "subjects"} one line with what it
# matched, {"matches": [[group 0, group 1, ...] or null, ...]}, or why it refused, {"error", "offset"}.
import ctypes
import ctypes.util
import json
import sys

CASELESS = 0x00000008
NO_MATCH = -1
UNSET = ctypes.c_size_t(-1).value

lib = ctypes.CDLL(ctypes.util.find_library("pcre2-8") or "libpcre2-8.so.0")
pointer, size = ctypes.c_void_p, ctypes.c_size_t
lib.pcre2_compile_8.restype = pointer
lib.pcre2_compile_8.argtypes = [ctypes.c_char_p, size, ctypes.c_uint32, pointer, pointer, pointer]
lib.pcre2_match_data_create_from_pattern_8.restype = pointer
lib.pcre2_match_data_create_from_pattern_8.argtypes = [pointer, pointer]
lib.pcre2_match_8.argtypes = [pointer, ctypes.c_char_p, size, size, ctypes.c_uint32, pointer, pointer]
lib.pcre2_get_ovector_pointer_8.restype = ctypes.POINTER(size)
lib.pcre2_get_ovector_pointer_8.argtypes = [pointer]
lib.pcre2_get_ovector_count_8.argtypes = [pointer]
lib.pcre2_match_data_free_8.argtypes = [pointer]
lib.pcre2_code_free_8.argtypes = [pointer]


def answer(query):
    pattern = query["pattern"].encode("latin1")
    number, offset = ctypes.c_int(), size()
    flags = CASELESS if query["caseless"] else 0
    code = lib.pcre2_compile_8(
        pattern, len(pattern), flags, ctypes.byref(number), ctypes.byref(offset), None
    )
    if not code:
        words = ctypes.create_string_buffer(256)
        lib.pcre2_get_error_message_8(number, words, 256)
        return {"error": words.value.decode(), "offset": offset.value}
    data = lib.pcre2_match_data_create_from_pattern_8(code, None)
    matches = [match(code, data, subject.encode("latin1")) for subject in query["subjects"]]
    lib.pcre2_match_data_free_8(data)
    lib.pcre2_code_free_8(code)
    return {"matches": matches}


def match(code, data, subject):
    count = lib.pcre2_match_8(code, subject, len(subject), 0, 0, data, None)
    if count < 0:
        return None if count == NO_MATCH else count
    offsets = lib.pcre2_get_ovector_pointer_8(data)
    groups = []
    for group in range(lib.pcre2_get_ovector_count_8(data)):
        start, end = offsets[2 * group], offsets[2 * group + 1]
        is_set = group < count and start != UNSET
        groups.append(subject[start:end].decode("latin1") if is_set else None)
    return groups


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))))
