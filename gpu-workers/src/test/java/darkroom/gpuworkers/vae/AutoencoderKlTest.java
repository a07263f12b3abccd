package darkroom.gpuworkers.vae;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import darkroom.gpuworkers.pretrained.ModelFolder;
import darkroom.gpuworkers.pretrained.ReferenceCase;
import darkroom.gpuworkers.torchscript.Torch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class AutoencoderKlTest {
    private static AutoencoderKl vae;

    @BeforeAll
    static void open() throws IOException {
        Torch.enterThread();
        vae = AutoencoderKl.open(ModelFolder.open(ReferenceCase.folder()));
    }

    @BeforeEach
    void enterThread() {
        Torch.enterThread();
    }

    @AfterAll
    static void close() {
        vae.close();
    }

    static Stream<String> encodings() {
        return ReferenceCase.names("vae-encode");
    }

    static Stream<String> decodings() {
        return ReferenceCase.names("vae-decode");
    }

    @ParameterizedTest
    @MethodSource("encodings")
    void the_latent_of_a_picture_is_that_of_diffusers(String name) throws IOException {
        try (ReferenceCase reference = ReferenceCase.open(name);
                NDManager scope = vae.scope()) {
            NDArray latent = vae.encode(scope, array(scope, reference, "pixels"));
            assertThat(latent.getShape().getShape()).isEqualTo(reference.shape("latent"));
            reference.matches("latent", latent.toFloatArray(), 5e-5);
        }
    }

    @ParameterizedTest
    @MethodSource("decodings")
    void the_pixels_of_a_latent_are_those_of_diffusers(String name) throws IOException {
        try (ReferenceCase reference = ReferenceCase.open(name);
                NDManager scope = vae.scope()) {
            NDArray pixels = vae.decode(scope, array(scope, reference, "latent"));
            assertThat(pixels.getShape().getShape()).isEqualTo(reference.shape("pixels"));
            reference.matches("pixels", pixels.toFloatArray(), 5e-5);
        }
    }

    @Test
    void a_picture_whose_sides_are_no_multiples_is_refused() {
        try (NDManager scope = vae.scope()) {
            assertThatThrownBy(() -> vae.encode(scope, scope.zeros(new Shape(1, 3, 20, 16))))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("pixels are (1, 3, 20, 16), expected [batch, 3, height, width] with multiples of 8");
            assertThatThrownBy(() -> vae.decode(scope, scope.zeros(new Shape(1, 4, 2, 2))))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("expected [batch, 16, height, width]");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"act_fn\": \"silu\"|\"act_fn\": \"relu\"|config.json: act_fn=\"relu\", expected silu",
                "\"latents_mean\": null|\"latents_mean\": [0]|config.json: latents_mean=[0], expected null",
                "\"norm_num_groups\": 2|\"norm_num_groups\": 3|config.json: norm_num_groups=3, expected a divisor of"
                        + " all of",
                "DownEncoderBlock2D|AttnDownEncoderBlock2D|expected DownEncoderBlock2D",
                "\"layers_per_block\": 1|\"layers_per_block\": 2|tensor encoder.down_blocks.0.resnets.1.norm1.weight"
                        + " is missing",
                "\"latent_channels\": 16|\"latent_channels\": 4|tensor encoder.conv_out.weight has shape [32, 8, 3,"
                        + " 3], expected [8,"
            })
    void a_configuration_that_is_not_computed_is_refused(String from, String to, String message, @TempDir Path folder)
            throws IOException {
        Path source = ReferenceCase.folder();
        Files.copy(source.resolve("model_index.json"), folder.resolve("model_index.json"));
        Path component = Files.createDirectory(folder.resolve("vae"));
        String weights = "diffusion_pytorch_model.safetensors";
        Files.copy(source.resolve("vae").resolve(weights), component.resolve(weights));
        String config = Files.readString(source.resolve("vae/config.json"));
        assertThat(config).contains(from);
        Files.writeString(component.resolve("config.json"), config.replace(from, to));
        assertThatThrownBy(() -> AutoencoderKl.open(ModelFolder.open(folder)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(message)
                .hasMessageContaining(component.toString());
    }

    private static NDArray array(NDManager scope, ReferenceCase reference, String tensor) throws IOException {
        return scope.create(reference.floats(tensor), new Shape(reference.shape(tensor)));
    }
}
