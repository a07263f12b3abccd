package darkroom.actors.wire;

import darkroom.actors.device.ScoreOutcome;
import java.lang.reflect.AnnotatedType;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorRefResolver;
import org.jspecify.annotations.Nullable;

/** Arbitrary messages between nodes, created by reflection from the types that their components declare. */
final class AnyMessage {
    private static final int TEXT_MAX = 12;
    private static final int ELEMENTS_MAX = 3;

    private final ActorRefResolver refs;

    private AnyMessage(ActorRefResolver refs) {
        this.refs = refs;
    }

    static Arbitrary<Object> of(ActorRefResolver refs) {
        AnyMessage any = new AnyMessage(refs);
        return Arbitraries.oneOf(WireMessages.ALL.stream().map(any::any).toList());
    }

    private Arbitrary<Object> any(Type declared) {
        return switch (declared) {
            case Class<?> type
            when type == int.class || type == Integer.class ->
                Arbitraries.integers().asGeneric();
            case Class<?> type when type == long.class -> Arbitraries.longs().asGeneric();
            case Class<?> type
            when type == double.class -> Arbitraries.doubles().asGeneric();
            case Class<?> type
            when type == boolean.class -> Arbitraries.of(true, false).asGeneric();
            case Class<?> type
            when type == String.class ->
                Arbitraries.strings().all().ofMaxLength(TEXT_MAX).asGeneric();
            case Class<?> type
            when type == Duration.class ->
                Combinators.combine(Arbitraries.longs(), Arbitraries.integers().between(0, 999_999_999))
                        .as(Duration::ofSeconds)
                        .asGeneric();
            case Class<?> type when type.isEnum() -> Arbitraries.of(type.getEnumConstants());
            case Class<?> type when type.isRecord() -> record(type);
            case Class<?> type ->
                Arbitraries.oneOf(
                        Stream.of(type.getPermittedSubclasses()).map(this::any).toList());
            case TypeVariable<?> variable -> any(variable.getBounds()[0]);
            case ParameterizedType type
            when type.getRawType() == ActorRef.class ->
                Arbitraries.integers().between(1, 1 << 20).map(this::actor).asGeneric();
            case ParameterizedType type
            when type.getRawType() instanceof Class<?> raw && (raw.isRecord() || raw.isSealed()) -> any(raw);
            case ParameterizedType type -> {
                Arbitrary<Object> element = any(type.getActualTypeArguments()[0]);
                yield type.getRawType() == Optional.class
                        ? element.optional().asGeneric()
                        : type.getRawType() == Set.class
                                ? element.set().ofMaxSize(ELEMENTS_MAX).asGeneric()
                                : element.list().ofMaxSize(ELEMENTS_MAX).asGeneric();
            }
            default -> throw new AssertionError(declared);
        };
    }

    private Arbitrary<Object> record(Class<?> type) {
        if (type == ScoreOutcome.Scored.class) {
            return Combinators.combine(
                            Arbitraries.doubles().between(0, 1),
                            Arbitraries.doubles(),
                            Arbitraries.integers(),
                            Arbitraries.strings())
                    .as(ScoreOutcome.Scored::new)
                    .asGeneric();
        }
        List<Arbitrary<Object>> components =
                Stream.of(type.getRecordComponents()).map(this::component).toList();
        return Combinators.combine(components).as(values -> made(type, values));
    }

    private Arbitrary<Object> component(RecordComponent component) {
        Arbitrary<Object> any = any(component.getGenericType());
        AnnotatedType annotated = component.getAnnotatedType();
        return annotated.isAnnotationPresent(Nullable.class) ? any.injectNull(0.3) : any;
    }

    private static Object made(Class<?> type, List<Object> values) {
        try {
            return type.getDeclaredConstructor(Arrays.stream(type.getRecordComponents())
                            .map(RecordComponent::getType)
                            .toArray(Class<?>[]::new))
                    .newInstance(values.toArray());
        } catch (ReflectiveOperationException wrong) {
            throw new LinkageError(type + " of " + values, wrong);
        }
    }

    private ActorRef<Object> actor(int uid) {
        return refs.resolveActorRef("pekko://wire/user/actor-" + uid % 7 + "#" + uid);
    }
}
