using System.Runtime.InteropServices;

namespace Shockwave.Engine;

/// <summary>Calls back after each collection of the oldest generation, for as long as the target lives.</summary>
/// <remarks>An object without references, whose finalizer makes the next one: it soon is of the oldest generation, and then only such a collection ends it.</remarks>
internal sealed class CollectionCallback
{
    // A WeakReference would be finalized with this object, perhaps before it.
    private GCHandle _target;
    private readonly Action<object> _callback;

    private CollectionCallback(object target, Action<object> callback)
    {
        _target = GCHandle.Alloc(target, GCHandleType.Weak);
        _callback = callback;
    }

    ~CollectionCallback()
    {
        if (_target.Target is not { } target)
        {
            _target.Free();
            return;
        }

        _callback(target);
        GC.ReRegisterForFinalize(this);
    }

    public static void Register<T>(T target, Action<T> callback)
        where T : class => _ = new CollectionCallback(target, state => callback((T)state));
}
