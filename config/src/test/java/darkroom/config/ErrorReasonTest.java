package darkroom.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.UnknownHostException;
import java.nio.BufferUnderflowException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.UnresolvedAddressException;
import java.nio.charset.MalformedInputException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.NoSuchElementException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ErrorReasonTest {
    static Stream<Throwable> withoutAMessage() {
        return Stream.of(
                new ConnectException(),
                new IOException(),
                new IOException((String) null),
                new IOException(new ConnectException()),
                new UncheckedIOException(new EOFException()),
                new UncheckedIOException(null, new EOFException()),
                new CompletionException(null, new ClosedChannelException()),
                new ExecutionException(null, null),
                new CompletionException("null", new UnresolvedAddressException()),
                new TimeoutException(),
                new BufferUnderflowException(),
                new ArrayIndexOutOfBoundsException(),
                new NullPointerException(),
                new NoSuchElementException(" "),
                new RuntimeException() {},
                new StackOverflowError());
    }

    @ParameterizedTest
    @MethodSource("withoutAMessage")
    void an_exception_without_a_message_has_a_reason_that_does_not_say_null(Throwable thrown) {
        assertThat(ErrorReason.of(thrown)).isNotBlank().doesNotEndWith("null").doesNotContain(": null");
    }

    @Test
    void a_refused_connection_is_named() {
        assertThat(ErrorReason.of(new IOException(null, new ConnectException())))
                .startsWith("connection refused");
    }

    @Test
    void a_file_is_named_with_what_is_wrong_with_it() {
        assertThat(ErrorReason.of(new NoSuchFileException("a.png"))).isEqualTo("a.png: no such file or directory");
        assertThat(ErrorReason.of(new AccessDeniedException("a.png"))).isEqualTo("a.png: permission denied");
        assertThat(ErrorReason.of(new FileSystemException("a", null, "No space left on device")))
                .isEqualTo("a: No space left on device");
        assertThat(ErrorReason.of(new UncheckedIOException(new NoSuchFileException("a.png"))))
                .isEqualTo("a.png: no such file or directory");
    }

    @Test
    void a_message_is_repeated_as_it_is() {
        assertThat(ErrorReason.of(new IOException("disk on fire", new EOFException())))
                .isEqualTo("disk on fire");
        assertThat(ErrorReason.of(new CompletionException(new IOException("disk on fire"))))
                .isEqualTo("disk on fire");
        assertThat(ErrorReason.of(new UnknownHostException("nowhere"))).isEqualTo("host nowhere has no address");
        assertThat(ErrorReason.of(new MalformedInputException(1))).isEqualTo("the bytes are not UTF-8 text");
    }

    @Test
    void causes_that_form_a_ring_end() {
        Exception one = new Exception((String) null);
        Exception other = new Exception(null, one);
        one.initCause(other);
        assertThat(ErrorReason.of(one)).isNotBlank();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"a\": NaN}",
                "{\"a\": -Infinity}",
                "{'a': 1}",
                "{a: 1}",
                "{\"a\": \"\t\"}",
                "{\"a\": 01}",
                "{\"a\": +1}",
                "{\"a\": .5}",
                "{\"a\": 1.}",
                "{\"a\": \"\\x\"}",
                "[1,]",
                "/* */ {}",
                "# no\n{}",
                "{} {}",
                "{\"a\": [1",
                "[[[[[1]]]]]",
                "{\"a\": 12345678901234567890}"
            })
    void what_a_json_parser_says_names_no_switch_of_the_library(String text) {
        JsonMapper mapper = JsonMapper.builder(JsonFactory.builder()
                        .streamReadConstraints(StreamReadConstraints.builder()
                                .maxNestingDepth(4)
                                .maxNumberLength(16)
                                .build())
                        .build())
                .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                .build();
        String reason = ErrorReason.of(catchThrowable(() -> mapper.readTree(text)));
        assertThat(reason)
                .isNotBlank()
                .doesNotContain("Feature", "ALLOW_", "FAIL_ON", "`", "jackson", "[Source", "Constraints", "\n");
    }
}
